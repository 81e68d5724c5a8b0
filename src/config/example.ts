import { stringify } from 'yaml'
import { envName } from './env.ts'
import { ConfigKeys, expectation, type KeyNode } from './keys.ts'
import { configSchemaOf, type DomainSettings } from './schema.ts'

const header = `# homeostat.yaml: every key with its default. A line that is commented out changes nothing.
# Each key can also be set by the variable that stands behind it, in the environment or in .env files;
# the command line wins over the environment, that over .env files, those over this file.
`

/** The example configuration, written from the schema: all keys, commented out, each with its meaning and limits. */
export const exampleYaml = (domains: readonly DomainSettings[]): string =>
  `${header}\n${section(new ConfigKeys(configSchemaOf(domains)).root, '', '').join('\n')}\n`

function section(node: KeyNode, name: string, indent: string): string[] {
  return Object.entries(node.properties ?? {}).flatMap(([part, child]) => {
    if (child.deprecated) return []
    const path = name === '' ? part : `${name}.${part}`
    if (child.properties) {
      if (Object.keys(child.properties).length === 0) return []
      return [
        `${indent}# ${child.description}`,
        `${indent}${part}:`,
        ...section(child, path, `${indent}  `),
        '',
      ]
    }
    return [`${indent}# ${about(child)} [${envName(path)}]`, ...example(part, child, indent)]
  })
}

/** Meaning and limits; of texts, lists and sections the meaning alone, their limits are no news. */
function about(node: KeyNode): string {
  const limited = node.enum !== undefined || !['string', 'array', 'object'].includes(String(node.type))
  return limited ? `${node.description} ${capital(expectation(node))}.` : String(node.description)
}

/** A key as it would be set; of a list, what its items may hold, and items as they could be. */
function example(part: string, node: KeyNode, indent: string): string[] {
  if (node.items) {
    const keys = Object.entries(node.items.properties ?? {})
    return [
      ...keys.map(([key, child]) => `${indent}#   ${key} - ${about(child)}`),
      ...stringify({ [part]: node.examples }, { indentSeq: true })
        .trimEnd()
        .split('\n')
        .map((line) => `${indent}# ${line}`),
      '',
    ]
  }
  const value = node.default === undefined || part === 'zone' ? '' : ` ${stringify(node.default).trim()}`
  return [`${indent}# ${part}:${value}`]
}

const capital = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1)
