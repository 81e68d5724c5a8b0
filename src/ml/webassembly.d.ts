/** The part of the WebAssembly JavaScript API that `ml` uses; the ES library has none, and the DOM's is not wanted here. */
declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array)
  }
  class Memory {
    constructor(descriptor: { initial: number; maximum: number; shared: boolean })
    readonly buffer: ArrayBufferLike
    grow(pages: number): number
  }
  class Instance {
    constructor(module: Module, imports: { env: { memory: Memory } })
    readonly exports: unknown
  }
  /** What a trap throws. */
  class RuntimeError extends Error {}
}
