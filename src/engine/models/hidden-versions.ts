import type { VersionKey } from '../../core/life.ts'
import { type Target, TargetMap } from '../../core/target.ts'

/** Versions that a removal hides: their files stay until it can no longer be undone. */
export class HiddenVersions {
  readonly #versions = new TargetMap<readonly string[]>()

  of(target: Target): readonly string[] {
    return this.#versions.get(target) ?? []
  }

  add({ target, version }: VersionKey): void {
    this.#versions.set(target, [...this.of(target), version])
  }

  delete({ target, version }: VersionKey): void {
    this.#versions.set(
      target,
      this.of(target).filter((one) => one !== version),
    )
  }
}
