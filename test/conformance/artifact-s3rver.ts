import { createRequire } from 'node:module'
import { join } from 'node:path'
import {
  accepts,
  freePort,
  type RunningServer,
  startProcess,
  stopProcess,
  temporaryFolder,
  untilReady,
} from '../servers.ts'

/** The only pair of keys that s3rver knows; it looks at the first and, of today's signatures, checks no more. */
export const s3rverKeys = { accessKey: 'S3RVER', secretKey: 'S3RVER' } as const

/** s3rver, an S3 server of npm that keeps its buckets in a folder, on a free loopback port. */
export async function startS3rver(): Promise<RunningServer> {
  const [port, folder] = [await freePort(), temporaryFolder('s3rver')]
  const program = join(createRequire(import.meta.url).resolve('s3rver/package.json'), '../bin/s3rver.js')
  const options = ['-d', folder.path, '-a', '127.0.0.1', '-p', String(port), '--silent', '--no-vhost-buckets']
  // it makes the tokens of its pages by DES, which OpenSSL 3 holds to be legacy
  const started = startProcess(process.execPath, ['--openssl-legacy-provider', program, ...options])
  const stop = async (): Promise<void> => {
    await stopProcess(started)
    folder.remove()
  }
  try {
    await untilReady(started, () => accepts(port))
  } catch (error) {
    await stop()
    throw error
  }
  return { port, url: `http://127.0.0.1:${port}`, pid: started.child.pid ?? 0, folder: folder.path, stop }
}
