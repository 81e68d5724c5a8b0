import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { s3rverKeys, startS3rver } from '../../../test/conformance/artifact-s3rver.ts'
import { examineArtifactStore } from '../../../test/conformance/artifact-store.ts'
import type { RunningServer } from '../../../test/servers.ts'
import { createS3Artifacts, type S3Options } from './s3.ts'

let server: RunningServer
let buckets = 0

beforeAll(async () => {
  server = await startS3rver()
})
afterAll(() => server?.stop())

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
const optionsFor = (bucket: string): S3Options => ({
  endpoint: server.url,
  bucket,
  region: 'us-east-1',
  ...s3rverKeys,
  requestMs: 10_000,
})
const newOptions = (): S3Options => optionsFor(`examined-${++buckets}`)

examineArtifactStore({
  name: 's3',
  manyKeys: 1_010,
  create: async () => createS3Artifacts(newOptions()),
  reopen: async () => createS3Artifacts(optionsFor(`examined-${buckets}`)),
})

describe('artifacts in a bucket', () => {
  it('stand under the prefix of the configuration and see nothing beside it', async () => {
    const options = newOptions()
    const whole = createS3Artifacts(options)
    const inside = createS3Artifacts({ ...options, prefix: 'hubs/north' })
    await inside.open()
    await whole.put('hubs/other', bytesOf('not theirs'))
    await inside.put('models/a', bytesOf('theirs'))
    expect(await whole.list('')).toEqual(['hubs/north/models/a', 'hubs/other'])
    expect(await inside.list('')).toEqual(['models/a'])
    await inside.remove(['models/a'])
    expect(await whole.list('')).toEqual(['hubs/other'])
  })

  it('say where they are when nobody answers', async () => {
    const store = createS3Artifacts({ ...newOptions(), endpoint: 'http://127.0.0.1:9', bucket: 'models' })
    await expect(store.open()).rejects.toThrow(
      /^S3 at http:\/\/127\.0\.0\.1:9, bucket models: opening failed: /,
    )
  })

  it('do not tell the secret when the server refuses the key', async () => {
    const options = newOptions()
    await createS3Artifacts(options).open()
    const secretKey = 'a-secret-that-is-nobodys-business'
    const store = createS3Artifacts({ ...options, accessKey: 'unknown', secretKey })
    const error: unknown = await store.put('a', bytesOf('x')).catch((reason: unknown) => reason)
    expect(String(error)).toMatch(/putting a failed: S3 returned 403/)
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain(secretKey)
  })

  it('say that the bucket is missing where this key may not make it', async () => {
    const stranger = createS3Artifacts({ ...newOptions(), accessKey: 'unknown' })
    await expect(stranger.open()).rejects.toThrow(/this key may not make it/)
    await expect(createS3Artifacts(newOptions()).list('')).rejects.toThrow(/the bucket is missing/)
  })

  it('refuse an endpoint that is no address, or that holds a secret', () => {
    for (const endpoint of ['127.0.0.1', 'ftp://host', 'http://user:word@host', 'http://host/?a=b']) {
      expect(() => createS3Artifacts({ ...newOptions(), endpoint }), endpoint).toThrow(/endpoint of the S3/)
    }
  })
})

describe('a request to S3', () => {
  const asked: { method: string; body: string }[] = []
  let deaf: Server

  // what no real server that a test can have does: it keeps silent, and tells what it was asked
  beforeAll(async () => {
    deaf = createServer((request, response) => {
      let body = ''
      request.on('data', (chunk) => {
        body += chunk
      })
      request.on('end', () => {
        asked.push({ method: request.method ?? '', body })
        if (request.method === 'HEAD') response.writeHead(404).end()
        else if (request.method === 'PUT') response.writeHead(200).end()
      })
    })
    await new Promise<void>((resolve) => deaf.listen(0, '127.0.0.1', resolve))
  })
  afterAll(() => {
    deaf.closeAllConnections()
    deaf.close()
  })

  const store = (region: string) => {
    const { port } = deaf.address() as AddressInfo
    const endpoint = `http://127.0.0.1:${port}`
    return createS3Artifacts({
      endpoint,
      bucket: 'b',
      region,
      accessKey: 'a',
      secretKey: 's',
      requestMs: 100,
    })
  }

  it('is given up after its time', async () => {
    await expect(store('us-east-1').get('a')).rejects.toThrow(/no answer within 100 ms/)
  })

  it('names the location of a new bucket, but for the default one, which Amazon refuses by name', async () => {
    await store('eu-central-1').open()
    expect(asked.pop()?.body).toContain('eu-central-1')
    await store('us-east-1').open()
    expect(asked.pop()).toEqual({ method: 'PUT', body: '' })
  })
})
