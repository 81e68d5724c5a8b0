import { spawnSync } from 'node:child_process'
import { copyFileSync, writeFileSync } from 'node:fs'
import { get } from 'node:https'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { program } from '../servers/hub.ts'
import { startProcess, untilReady } from '../servers.ts'
import { makePlace, type Place, patienceMs, requireBuild } from './cli.ts'

/** A hub with a certificate of its own, which is replaced while it runs. */

requireBuild()
const hasOpenssl = spawnSync('openssl', ['version']).status === 0

let place: Place
beforeEach(async () => {
  place = await makePlace()
})
afterEach(() => place.clear())

/** Writes NAME.crt and NAME.key. */
function makeCertificate(name: string): void {
  const [key, cert] = [join(place.path, `${name}.key`), join(place.path, `${name}.crt`)]
  const subject = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1']
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1']
  const { status, stderr } = spawnSync('openssl', [
    ...['req', '-x509', '-nodes', ...curve, ...subject, '-days', '2', '-keyout', key, '-out', cert],
  ])
  if (status !== 0) throw new Error(String(stderr))
}

function use(name: string): void {
  copyFileSync(join(place.path, `${name}.crt`), join(place.path, 'hub.crt'))
  copyFileSync(join(place.path, `${name}.key`), join(place.path, 'hub.key'))
}

/** The name in the certificate that a port shows. */
const shown = (port: number): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      resolve(String(socket.getPeerCertificate().subject.CN))
      socket.destroy()
    })
    socket.once('error', reject)
  })

const ask = (path: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const url = `https://127.0.0.1:${place.port}${path}`
    get(url, { rejectUnauthorized: false, agent: false }, (answer) => {
      answer.resume()
      resolve(answer.statusCode ?? 0)
    }).once('error', reject)
  })

describe.skipIf(!hasOpenssl)('tls.cert and tls.key', { timeout: patienceMs }, () => {
  test('encrypt page, API, WebSockets and MQTT, and are read again without a restart', async () => {
    makeCertificate('first')
    makeCertificate('second')
    use('first')
    place.configure({ tls: { cert: 'hub.crt', key: 'hub.key', checkSeconds: 1 }, demo: { enabled: false } })
    const { PATH } = process.env
    const started = startProcess(process.execPath, [program, 'serve'], {
      cwd: place.path,
      env: { PATH, HOME: place.path, TZ: 'UTC', NO_COLOR: '1' },
    })
    try {
      await untilReady(
        started,
        () =>
          ask('/readyz').then(
            (status) => status === 200,
            () => false,
          ),
        40_000,
      )
      expect(await Promise.all([shown(place.port), shown(place.mqttPort)])).toEqual(['first', 'first'])
      // commands on this machine need no certificate
      const key = await place.run('key', 'create', 'x', '--role', 'viewer')
      expect(key.code).toBe(0)
      const live = new WebSocket(`wss://127.0.0.1:${place.port}/api/v1/live`, { rejectUnauthorized: false })
      await new Promise((resolve) => live.once('message', resolve))
      live.terminate()

      // half of a change, as between the writes of two files
      copyFileSync(join(place.path, 'second.crt'), join(place.path, 'hub.crt'))
      await expect.poll(() => started.tail, { timeout: 20_000 }).toContain('cannot be used')
      expect(await shown(place.port)).toBe('first')
      use('second')
      await expect
        .poll(() => Promise.all([shown(place.port), shown(place.mqttPort)]), { timeout: 20_000 })
        .toEqual(['second', 'second'])
      await expect(fetch(`http://127.0.0.1:${place.port}/livez`)).rejects.toThrow()
    } finally {
      started.child.kill('SIGTERM')
      await started.ended
    }
  })

  test('that do not belong together, or cannot be read, stop the start', async () => {
    makeCertificate('first')
    makeCertificate('second')
    copyFileSync(join(place.path, 'second.key'), join(place.path, 'first.key'))
    place.configure({ tls: { cert: 'first.crt', key: 'first.key' } })
    expect((await place.run('serve')).error).toMatch(
      /first\.crt: it is no certificate that belongs to the key/,
    )
    writeFileSync(join(place.path, 'first.key'), 'rubbish')
    expect((await place.run('serve')).code).toBe(4)
    place.configure({ tls: { cert: 'absent.crt', key: 'first.key' } })
    expect((await place.run('serve')).error).toMatch(/absent\.crt: it cannot be read \(ENOENT\)/)
    place.configure({ tls: { cert: 'first.crt' } })
    expect((await place.run('serve')).error).toContain('tls.key')
  })
})
