import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { claimFolder, findHub } from './folder.ts'

let root: string
let server: Server
let url: string

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'homeostat-folder-'))
  mkdirSync(join(root, 'data'))
  server = createServer((_, response) => response.end('{}'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
})
afterEach(() => {
  server.close()
  rmSync(root, { recursive: true })
})

const secret = 'a-secret-of-this-run'

describe('claim of a data folder', () => {
  it('lets commands find the hub, and keeps its secret out of the folder', async () => {
    const data = join(root, 'data')
    const claim = await claimFolder(data)
    await claim.announce({ url, secret })
    expect(await findHub(data)).toEqual({ url, secret })
    const { address, ...held } = JSON.parse(readFileSync(join(data, 'hub.json'), 'utf8')) as {
      address: string
    }
    expect(JSON.stringify(held)).not.toContain(secret)
    expect(address.startsWith(data)).toBe(false)
    expect(statSync(address).mode & 0o077).toBe(0)
    await claim.release()
    expect(await findHub(data)).toBeUndefined()
    expect(readdirSync(data)).toEqual([])
    expect(() => statSync(address)).toThrow('ENOENT')
  })

  it('is worth nothing in a copy of the folder', async () => {
    const [data, copy] = [join(root, 'data'), join(root, 'copy')]
    const claim = await claimFolder(data)
    await claim.announce({ url, secret })
    cpSync(data, copy, { recursive: true })
    expect(await findHub(copy)).toBeUndefined()
    const ofCopy = await claimFolder(copy)
    // the hub of the original can still be found
    expect(await findHub(data)).toEqual({ url, secret })
    await ofCopy.release()
    expect(await findHub(data)).toEqual({ url, secret })
    await claim.release()
  })

  it('is refused while another process that lives holds the folder, but not for a copy of its claim', async () => {
    const [data, copy] = [join(root, 'data'), join(root, 'copy')]
    const { dev, ino } = statSync(data, { bigint: true })
    writeFileSync(join(data, 'hub.json'), JSON.stringify({ pid: process.ppid, folder: `${dev}-${ino}` }))
    await expect(claimFolder(data)).rejects.toThrow(`held by another hub (process ${process.ppid})`)
    cpSync(data, copy, { recursive: true })
    await (await claimFolder(copy)).release()
  })

  it('removes what killed hubs have announced', async () => {
    const data = join(root, 'data')
    const first = await claimFolder(data)
    await first.announce({ url, secret })
    const { address } = JSON.parse(readFileSync(join(data, 'hub.json'), 'utf8')) as {
      readonly address: string
    }
    // no process has this number
    const dead = address.replace(/\d+\.json$/, '99999999.json')
    writeFileSync(dead, '{}')
    await first.announce({ url, secret })
    expect(() => statSync(dead)).toThrow('ENOENT')
    expect(await findHub(data)).toEqual({ url, secret })
    await first.release()
  })

  it('is refused while a restore into the folder is not finished', async () => {
    mkdirSync(join(root, 'data', 'restoring'))
    await expect(claimFolder(join(root, 'data'))).rejects.toMatchObject({ code: 'restore_unfinished' })
  })
})
