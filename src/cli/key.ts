import { type Command, InvalidArgumentError } from 'commander'
import { createKey } from '../api/keys.ts'
import { contentsOf } from '../compose.ts'
import { HomeostatError } from '../core/errors.ts'
import type { Role } from '../core/event.ts'
import { requireStores } from '../engine/contents-check.ts'
import { claimFolder, findHub } from '../platform/folder.ts'
import { ledgers } from '../stores/ledger/index.ts'
import { type ConfigFlags, configFlags, configOf } from './flags.ts'
import { createHubClient } from './hub-client.ts'

interface Shown {
  readonly id: string
  readonly name: string
  readonly role: Role
  readonly sites: readonly string[] | null
}

/** What can be done with keys, in the folder or at the hub that holds it. */
interface Keys {
  create(
    name: string,
    role: Role,
    sites: readonly string[] | null,
  ): Promise<Shown & { readonly secret: string }>
  list(): Promise<readonly Shown[]>
  remove(id: string): Promise<void>
}

/** Adds `key create|list|revoke`. */
export function keyCommand(program: Command): void {
  const keys = program.command('key').description('API keys: make, list, revoke')
  configFlags(keys.command('create <name>').description('make a key; its secret is shown this once'))
    .requiredOption('--role <role>', 'viewer, operator or admin', parseRole)
    .option(
      '--site <id>',
      'site that it reaches; repeatable (default: all)',
      (id: string, before: string[] = []) => [...before, id],
    )
    .action((name: string, flags: ConfigFlags & { role: Role; site?: string[] }) =>
      withKeys(flags, async (all) => {
        const { secret, ...key } = await all.create(name, flags.role, flags.site ?? null)
        process.stdout.write(`${line(key)}\n\n${secret}\n\nKeep it now: it is not shown again.\n`)
      }),
    )
  configFlags(keys.command('list').description('list the keys, without their secrets')).action(
    (flags: ConfigFlags) =>
      withKeys(flags, async (all) => {
        const list = await all.list()
        process.stdout.write(list.length === 0 ? 'There are no keys.\n' : `${list.map(line).join('\n')}\n`)
      }),
  )
  configFlags(keys.command('revoke <id>').description('revoke a key')).action(
    (id: string, flags: ConfigFlags) =>
      withKeys(flags, async (all) => {
        await all.remove(id)
        process.stdout.write(`Revoked ${id}.\n`)
      }),
  )
}

const line = ({ id, name, role, sites }: Shown): string =>
  `${id}  ${role.padEnd(8)}  ${sites?.join(', ') ?? 'all sites'}  ${name}`

function parseRole(text: string): Role {
  if (text === 'viewer' || text === 'operator' || text === 'admin') return text
  throw new InvalidArgumentError('A role is viewer, operator or admin.')
}

async function withKeys(flags: ConfigFlags, use: (keys: Keys) => Promise<void>): Promise<void> {
  const { data } = configOf(flags)
  const address = await findHub(data)
  if (address) return use(keysOfHub(createHubClient(address)))
  const claim = await claimFolder(data)
  const contents = contentsOf(data)
  const ledger = ledgers.sqlite({ folder: data, contents })
  try {
    await requireStores(contents)
    await ledger.open()
    await use({
      async create(name, role, sites) {
        const { key, secret } = createKey(name, role, sites, Date.now())
        await ledger.putKey(key)
        return { ...key, secret }
      },
      list: () => ledger.keys(),
      async remove(id) {
        if (!(await ledger.removeKey(id))) throw new HomeostatError('not_found', { what: `key "${id}"` })
      },
    })
  } finally {
    await ledger.close()
    await claim.release()
  }
}

const keysOfHub = ({ request }: ReturnType<typeof createHubClient>): Keys => ({
  create: async (name, role, sites) =>
    (await request('POST', '/api/v1/keys', { name, role, sites })) as Shown & { secret: string },
  list: async () => ((await request('GET', '/api/v1/keys')) as { items: Shown[] }).items,
  remove: async (id) => {
    await request('DELETE', `/api/v1/keys/${encodeURIComponent(id)}`)
  },
})
