import { randomBytes } from 'node:crypto'
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { type Command, InvalidArgumentError } from 'commander'
import type { NewUser } from '../api/people.ts'
import { createPeople } from '../compose.ts'
import { HomeostatError } from '../core/errors.ts'
import type { Role } from '../core/event.ts'
import { systemClock } from '../platform/clock.ts'
import { findHub } from '../platform/folder.ts'
import { createLog } from '../platform/log.ts'
import { ledgers } from '../stores/ledger/index.ts'
import { type ConfigFlags, configFlags, configOf } from './flags.ts'
import { createHubClient } from './hub-client.ts'

type Shown = Pick<NewUser, 'name' | 'role' | 'sites'>

/** What can be done with users, in the folder or at the hub that holds it. */
interface Users {
  create(user: NewUser): Promise<Shown>
  list(): Promise<readonly Shown[]>
  remove(name: string): Promise<void>
  setPassword(name: string, password: string): Promise<void>
}

const [shortest, longest] = [8, 200]

/** Adds `user create|list|remove|password`. */
export function userCommand(program: Command): void {
  const users = program.command('user').description('people who sign in: add, list, remove, new password')
  configFlags(
    users
      .command('create <name>')
      .description('add a user; the password is asked for, or read from standard input'),
  )
    .requiredOption('--role <role>', 'viewer, operator or admin', parseRole)
    .option(
      '--site <id>',
      'site that the user reaches; repeatable (default: all)',
      (id: string, before: string[] = []) => [...before, id],
    )
    .action(async (name: string, flags: ConfigFlags & { role: Role; site?: string[] }) => {
      if (!/^\P{Cc}{1,64}$/u.test(name) || name.trim() !== name)
        throw new HomeostatError('data_invalid', {
          detail: 'A name has 1 to 64 characters, no control characters and no space at its beginning or end',
        })
      const password = await askPassword()
      await withUsers(flags, async (all) => {
        const user = await all.create({ name, role: flags.role, sites: flags.site ?? null, password })
        process.stdout.write(`${line(user)}\n`)
      })
    })
  configFlags(users.command('list').description('list the users')).action((flags: ConfigFlags) =>
    withUsers(flags, async (all) => {
      const list = await all.list()
      process.stdout.write(list.length === 0 ? 'There are no users.\n' : `${list.map(line).join('\n')}\n`)
    }),
  )
  configFlags(users.command('remove <name>').description('remove a user; the sessions end')).action(
    (name: string, flags: ConfigFlags) =>
      withUsers(flags, async (all) => {
        await all.remove(name)
        process.stdout.write(`Removed ${name}.\n`)
      }),
  )
  configFlags(
    users.command('password <name>').description('give a user a new password; the sessions end'),
  ).action(async (name: string, flags: ConfigFlags) => {
    const password = await askPassword()
    await withUsers(flags, async (all) => {
      await all.setPassword(name, password)
      process.stdout.write(`${name} has a new password.\n`)
    })
  })
}

const line = ({ name, role, sites }: Shown): string =>
  `${role.padEnd(8)}  ${sites?.join(', ') ?? 'all sites'}  ${name}`

function parseRole(text: string): Role {
  if (text === 'viewer' || text === 'operator' || text === 'admin') return text
  throw new InvalidArgumentError('A role is viewer, operator or admin.')
}

/** Never an argument: arguments are in the history of the shell and in the list of processes. */
async function askPassword(): Promise<string> {
  const isTerminal = process.stdin.isTTY === true
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: process.stdin, output: silent, terminal: isTerminal })
  try {
    if (isTerminal) process.stderr.write('Password: ')
    const password = isTerminal ? await lines.question('') : await firstLine(lines)
    if (isTerminal) process.stderr.write('\n')
    if (password.length < shortest || password.length > longest)
      throw new HomeostatError('data_invalid', {
        detail: `A password has ${shortest} to ${longest} characters, this one ${password.length}`,
      })
    return password
  } finally {
    lines.close()
  }
}

async function firstLine(lines: AsyncIterable<string>): Promise<string> {
  for await (const text of lines) return text
  return ''
}

async function withUsers(flags: ConfigFlags, use: (users: Users) => Promise<void>): Promise<void> {
  const config = configOf(flags)
  const address = await findHub(config.data)
  if (address) return use(usersOfHub(createHubClient(address)))
  const ledger = ledgers.sqlite({ folder: config.data })
  await ledger.open()
  try {
    const people = createPeople(config, {
      ...{ ledger: ledger.people, clock: systemClock, log: createLog('error') },
      // no tokens are issued here
      secret: randomBytes(32),
    })
    await people.open()
    await use({
      create: (user) => people.create(user),
      list: async () => people.users(),
      remove: (name) => people.remove(name),
      async setPassword(name, password) {
        await people.change(name, { password })
      },
    })
  } finally {
    await ledger.close()
  }
}

const usersOfHub = ({ request }: ReturnType<typeof createHubClient>): Users => ({
  create: async (user) => (await request('POST', '/api/v1/users', user)) as Shown,
  list: async () => ((await request('GET', '/api/v1/users')) as { items: Shown[] }).items,
  async remove(name) {
    await request('DELETE', `/api/v1/users/${encodeURIComponent(name)}`)
  },
  async setPassword(name, password) {
    await request('PUT', `/api/v1/users/${encodeURIComponent(name)}`, { password })
  },
})
