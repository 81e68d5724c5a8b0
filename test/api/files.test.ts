import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { startTestHub, type TestHub } from '../hub.ts'

/** The files of the page: compressed by the build, and kept by browsers for as long as their names last. */

const script = 'console.log("a page")\n'.repeat(200)
const webFolder = mkdtempSync(join(tmpdir(), 'homeostat-web-'))
let hub: TestHub
beforeAll(async () => {
  mkdirSync(join(webFolder, 'assets'))
  writeFileSync(join(webFolder, 'index.html'), '<!doctype html><title>Homeostat</title>')
  writeFileSync(join(webFolder, 'mark.svg'), '<svg/>')
  for (const name of ['index-Ab3_x-9Z.js', 'plain.js']) {
    const file = join(webFolder, 'assets', name)
    writeFileSync(file, script)
    writeFileSync(`${file}.br`, brotliCompressSync(script))
    writeFileSync(`${file}.gz`, gzipSync(script))
  }
  hub = await startTestHub({ webFolder })
})
afterAll(async () => {
  await hub.close()
  rmSync(webFolder, { recursive: true })
})
afterEach(() => expect(hub.errors).toEqual([]))

const asset = '/assets/index-Ab3_x-9Z.js'

describe('files of the page', () => {
  test.each([
    ['gzip, deflate, br', 'br', brotliDecompressSync],
    ['gzip', 'gzip', gunzipSync],
  ])('with Accept-Encoding %s come as %s', async (accepted, encoding, decoded) => {
    const answer = await hub.ask({ url: asset, headers: { 'accept-encoding': accepted } })
    expect(answer.headers).toMatchObject({
      'content-encoding': encoding,
      'content-type': expect.stringContaining('javascript'),
      vary: expect.stringMatching(/accept-encoding/i),
    })
    expect(decoded(answer.rawPayload).toString()).toBe(script)
  })

  test('come as they are where nothing else is accepted, or nothing else was made', async () => {
    const plain = await hub.ask({ url: asset, headers: { 'accept-encoding': 'identity' } })
    expect([plain.headers['content-encoding'], plain.body]).toEqual([undefined, script])
    const mark = await hub.ask({ url: '/mark.svg', headers: { 'accept-encoding': 'br' } })
    expect([mark.statusCode, mark.body]).toEqual([200, '<svg/>'])
  })

  test.each([
    [asset, 'public, max-age=31536000, immutable'],
    ['/assets/plain.js', 'no-cache'],
    ['/mark.svg', 'no-cache'],
    ['/index.html', 'no-cache'],
    ['/', 'no-cache'],
  ])('%s is kept by browsers: %s', async (url, wanted) => {
    for (const encoding of ['br', 'gzip', 'identity']) {
      const headers = { accept: 'text/html', 'accept-encoding': encoding }
      expect((await hub.ask({ url, headers })).headers['cache-control']).toBe(wanted)
    }
  })

  test('are asked for again only where they changed', async () => {
    const first = await hub.ask({ url: '/mark.svg' })
    const headers = { 'if-none-match': String(first.headers['etag']) }
    expect((await hub.ask({ url: '/mark.svg', headers })).statusCode).toBe(304)
  })

  test.each([
    '/assets/',
    '/assets',
    '/../package.json',
    '/assets/..%2f..%2fpackage.json',
    '/.env',
    `${asset}.br`,
  ])('%s is no file of the page', async (url) => {
    expect((await hub.ask({ url })).statusCode).toBe(404)
  })
})
