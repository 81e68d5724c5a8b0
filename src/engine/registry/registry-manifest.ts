import type { SeriesKey } from '../../core/event.ts'
import type { StoredModel } from '../../core/life.ts'
import { targetOfSeries } from '../../core/old-card.ts'
import { isSameTarget, type Target, targetName } from '../../core/target.ts'
import { check, checkSeries, checkSpan, checkTarget, parseCard, parseJson, Unfit } from './registry-card.ts'
import { sha256 } from './registry-names.ts'

/** Files of a version. The manifest is written last and removed first: without it a version is not there. */
export const files = { model: 'model.json', card: 'card.json', manifest: 'manifest.json' } as const

/**
 * Number of this form of the files; a hub refuses the form of a later one. 1: of a series, whose model is that of a
 * target now; 2: of a target.
 */
const format = 2
const oldFormat = 1

interface FileMark {
  readonly sha256: string
  readonly bytes: number
}

/** What a version is made of and where it is from. Times are UTC ms. */
export interface Manifest {
  readonly format: number
  readonly target: Target
  readonly version: string
  readonly span: StoredModel['card']['span']
  /** Version of the program that learnt it. */
  readonly code: string
  /** Of the randomness that it was learnt with. */
  readonly seed: number
  readonly madeAt: number
  readonly files: Readonly<Record<'model.json' | 'card.json', FileMark>>
}

/** As hubs before targets wrote it. */
interface OldManifest extends Omit<Manifest, 'target'> {
  readonly series: SeriesKey
}

/** The files of a version. */
export interface VersionFiles {
  readonly model: Uint8Array | undefined
  readonly card: Uint8Array | undefined
  readonly manifest: Uint8Array | undefined
}

type Bytes = Uint8Array<ArrayBuffer>
const encoder = new TextEncoder()

/** The three files of a model. */
export async function render(
  { card, body }: StoredModel,
  origin: Pick<Manifest, 'code' | 'seed' | 'madeAt'>,
): Promise<{ readonly model: Bytes; readonly card: Bytes; readonly manifest: Bytes }> {
  const model = encoder.encode(body)
  const cardBytes = encoder.encode(`${JSON.stringify(card, null, 2)}\n`)
  const { target, span } = card
  const manifest: Manifest = {
    format,
    target,
    version: card.model.version,
    span,
    ...origin,
    files: { 'model.json': await markOf(model), 'card.json': await markOf(cardBytes) },
  }
  return { model, card: cardBytes, manifest: await seal(manifest) }
}

/** The manifest with a SHA-256 of itself as its last field, so that damage to it is seen, too. */
export async function seal(manifest: object): Promise<Bytes> {
  const own = await sha256(encoder.encode(JSON.stringify(manifest)))
  return encoder.encode(`${JSON.stringify({ ...manifest, sha256: own }, null, 2)}\n`)
}

/** The model that the files hold. Throws Unfit, with a reason for people, unless every byte is as it was written. */
export async function read(stored: VersionFiles, target: Target, version: string): Promise<StoredModel> {
  if (!stored.manifest) throw new Unfit('it was only half written: manifest.json is missing')
  const manifest = await parseManifest(decode(stored.manifest, files.manifest))
  if (!isSameTarget(manifest.target, target))
    throw new Unfit(`it is a model of ${targetName(manifest.target)}`)
  if (manifest.version !== version) throw new Unfit(`it is the version ${manifest.version}`)

  const body = await checked(stored.model, files.model, manifest.files['model.json'])
  const card = parseCard(await checked(stored.card, files.card, manifest.files['card.json']))
  if (!isSameTarget(card.target, target) || card.model.version !== version)
    throw new Unfit('its card is of another model')
  parseJson(body, files.model)
  return { card, body }
}

async function parseManifest(text: string): Promise<Manifest> {
  const parsed = parseJson(text, files.manifest)
  check.fields({ format: check.number, sha256: check.text })(parsed, files.manifest)
  const { sha256: own, ...rest } = parsed as (Manifest | OldManifest) & { readonly sha256: string }
  if (rest.format !== format && rest.format !== oldFormat)
    throw new Unfit(`its files have format ${rest.format}, this hub reads formats ${oldFormat} and ${format}`)
  if ((await sha256(encoder.encode(JSON.stringify(rest)))) !== own) {
    throw new Unfit('manifest.json is damaged: it does not agree with its own SHA-256')
  }
  if (rest.format === oldFormat && 'series' in rest) {
    checkSeries(rest.series, `${files.manifest}: series`)
    const { series, ...other } = rest
    const manifest = { target: targetOfSeries(series), ...other }
    checkManifest(manifest, files.manifest)
    return manifest
  }
  checkManifest(rest, files.manifest)
  return rest as Manifest
}

const mark = check.fields({ sha256: check.text, bytes: check.number })
const checkManifest = check.fields({
  target: checkTarget,
  version: check.text,
  span: checkSpan,
  code: check.text,
  seed: check.number,
  madeAt: check.number,
  files: check.fields({ 'model.json': mark, 'card.json': mark }),
})

async function checked(
  bytes: Uint8Array | undefined,
  file: string,
  { sha256: hash, bytes: length }: FileMark,
) {
  if (!bytes) throw new Unfit(`${file} is missing`)
  if (bytes.length !== length) {
    throw new Unfit(`${file} has ${bytes.length} bytes instead of ${length}; it may be cut short`)
  }
  if ((await sha256(bytes.slice())) !== hash) {
    throw new Unfit(`${file} is damaged: it does not agree with the SHA-256 of its manifest`)
  }
  return decode(bytes, file)
}

function decode(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new Unfit(`${file} is damaged: it is not text`)
  }
}

const markOf = async (bytes: Bytes): Promise<FileMark> => ({
  sha256: await sha256(bytes),
  bytes: bytes.length,
})
