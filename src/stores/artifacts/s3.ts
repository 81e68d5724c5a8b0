import type { S3mini } from 's3mini'
import { HomeostatError } from '../../core/errors.ts'
import type { ArtifactStore } from '../../core/ports.ts'
import { checkKey, checkPrefix } from './keys.ts'

export interface S3Options {
  /** With scheme, host and port, such as `http://127.0.0.1:9000`; the bucket stands in the path of requests. */
  readonly endpoint: string
  readonly bucket: string
  readonly region: string
  readonly accessKey: string
  readonly secretKey: string
  /** Segments that all keys stand under, without slashes at the ends. */
  readonly prefix?: string
  /** Longest time of one request, its answer included, ms. */
  readonly requestMs: number
}

/**
 * Artifacts as objects of a bucket (Amazon S3, MinIO, Ceph, Garage and the like). A PUT of S3 is whole or not at all,
 * and is seen by the next GET. Errors name endpoint and bucket, never a key of access.
 * `open` makes the bucket where it is missing; a bucket that vanishes later looks empty to `get`, and fails the rest.
 */
export function createS3Artifacts(options: S3Options): ArtifactStore {
  const { bucket, requestMs } = options
  const endpoint = parseEndpoint(options.endpoint)
  const root = options.prefix ? `${options.prefix}/` : ''
  if (options.prefix) checkKey(options.prefix)
  let client: S3mini | undefined

  const ask = async <Answer>(what: string, question: (s3: S3mini) => Promise<Answer>): Promise<Answer> => {
    try {
      client ??= await connect(options, endpoint)
      return await question(client)
    } catch (error) {
      // without its cause: that holds the server's answer, which may repeat what was signed
      throw new Error(`S3 at ${endpoint}, bucket ${bucket}: ${what} failed: ${reasonOf(error, requestMs)}`)
    }
  }

  return {
    open: () => ask('opening', makeBucket),
    async put(key, bytes) {
      checkKey(key)
      await ask(`putting ${key}`, (s3) => s3.putObject(root + key, bytes))
    },
    async get(key) {
      checkKey(key)
      const bytes = await ask(`getting ${key}`, (s3) => s3.getObjectArrayBuffer(root + key))
      return bytes === null ? undefined : new Uint8Array(bytes)
    },
    async list(prefix) {
      checkPrefix(prefix)
      const found = await ask(
        'listing',
        async (s3) => (await s3.listObjects('/', root + prefix)) ?? missing(),
      )
      return found.map(({ Key }) => Key.slice(root.length)).sort()
    },
    async remove(keys) {
      keys.forEach(checkKey)
      // one by one: in the order given, and for servers that do not know how to remove several
      for (const key of keys) await ask(`removing ${key}`, (s3) => s3.deleteObject(root + key))
    },
    close: async () => {
      client = undefined
    },
  }
}

/** The package is loaded only where somebody keeps artifacts on S3. */
async function connect(options: S3Options, endpoint: string): Promise<S3mini> {
  const { S3mini } = await import('s3mini')
  return new S3mini({
    endpoint: `${endpoint}/${options.bucket}`,
    region: options.region,
    accessKeyId: options.accessKey,
    secretAccessKey: options.secretKey,
    requestAbortTimeout: options.requestMs,
    fetch: (input, init) => fetch(input, withoutDefaultRegion(init, options.region)),
  })
}

/**
 * Amazon refuses to make a bucket whose named location is its default one, us-east-1; without a body it is made there.
 * Bodies are not part of the signature. https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
 */
function withoutDefaultRegion(init: RequestInit | undefined, region: string): RequestInit | undefined {
  const { body, headers, ...rest } = init ?? {}
  if (region !== 'us-east-1' || typeof body !== 'string' || !body.includes('<LocationConstraint>'))
    return init
  const others = new Headers(headers)
  others.delete('content-length')
  others.delete('content-type')
  return { ...rest, headers: others }
}

async function makeBucket(s3: S3mini): Promise<void> {
  if (await s3.bucketExists()) return
  // two hubs may start at once: the one that comes second finds the bucket of the first
  if ((await s3.createBucket()) || (await s3.bucketExists())) return
  throw new Error('the bucket is missing or closed to this key, and this key may not make it')
}

function missing(): never {
  throw new Error('the bucket is missing')
}

function parseEndpoint(text: string): string {
  const refuse = (detail: string): never => {
    throw new HomeostatError('config_invalid', { where: 'The endpoint of the S3 artifacts', detail })
  }
  if (!URL.canParse(text)) return refuse('give an address such as http://127.0.0.1:9000')
  const url = new URL(text)
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    return refuse('it begins with http:// or https://')
  if (url.username !== '' || url.password !== '') return refuse('the keys of access do not stand in it')
  if (url.search !== '' || url.hash !== '') return refuse('it ends with the host, port or path')
  return (url.origin + url.pathname).replace(/\/+$/, '')
}

/** What the server or the network said, in a few words. */
function reasonOf(error: unknown, requestMs: number): string {
  if (!(error instanceof Error)) return String(error)
  if (error.name === 'TimeoutError') return `no answer within ${requestMs} ms`
  const { cause } = error
  // fetch says only that it failed; why stands in the cause
  const code = cause instanceof Error && 'code' in cause ? ` (${String(cause.code)})` : ''
  return error.message + code
}
