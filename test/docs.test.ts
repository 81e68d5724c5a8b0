import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { withWorkedExample, workedExample } from '../scripts/worked-example.ts'
import { exampleEnv } from '../src/config/env-example.ts'
import { exampleYaml } from '../src/config/example.ts'
import { routes } from '../src/contract/routes.ts'
import { domains } from '../src/domains/index.ts'

/** Documents cannot drift: what is made from code is compared with it, what points somewhere must arrive. */

const root = fileURLToPath(new URL('..', import.meta.url))
const read = (path: string): string => readFileSync(join(root, path), 'utf8')
const documents = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md']

describe('documents', () => {
  it('hold the example configuration as the schema makes it (npm run docs)', () => {
    // the zone of the machine is the only default that differs from machine to machine
    expect(read('docs/homeostat.example.yaml')).toBe(exampleYaml(domains))
  })

  it('hold the example variables as the schema makes them (npm run docs)', () => {
    expect(read('.env.example')).toBe(exampleEnv(domains))
  })

  it('show the worked example as its tests load it (npm run docs)', () => {
    const contributing = read('CONTRIBUTING.md')
    expect(contributing).toBe(withWorkedExample(contributing))
    for (const [path, code] of workedExample()) expect(contributing).toContain(`// ${path}\n${code}`)
    const lines = [...workedExample()]
      .filter(([path]) => path.startsWith('src/domains/'))
      .map(([, code]) => code.split('\n').length - 1)
    expect(lines.reduce((sum, count) => sum + count, 0)).toBeLessThan(120)
  })

  it.each(documents)('%s links to files that exist', (path) => {
    const links = [...read(path).matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map(([, link]) => link ?? '')
    expect(links.filter((link) => !existsSync(join(root, dirname(path), link)))).toEqual([])
  })

  it.each(documents)('%s names paths of the tree that exist', (path) => {
    const paths = [...read(path).matchAll(/`((?:src|test|bench|web|docs|scripts)\/[\w./-]+)`/g)].map(
      ([, found]) => found ?? '',
    )
    expect(paths.filter((found) => !existsSync(join(root, found)))).toEqual([])
  })

  it('name every script that they tell to run', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
    const told = documents.flatMap((path) =>
      [...read(path).matchAll(/npm run ([\w-]+)/g)].map(([, name]) => name ?? ''),
    )
    expect(told.filter((name) => !(name in scripts))).toEqual([])
  })

  it('name the groups of routes that the contract has', () => {
    const readme = read('README.md')
    const groups = new Set(
      Object.values(routes)
        .map(({ path }) => path.split('/')[3])
        .filter((group) => group !== undefined && group !== 'keys' && group !== 'train'),
    )
    expect([...groups].filter((group) => !new RegExp(`\\b${group}\\b`).test(readme))).toEqual([])
  })
})
