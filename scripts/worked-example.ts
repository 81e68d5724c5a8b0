/** The code of the worked example in CONTRIBUTING.md is a fixture of the tests; a test holds the document to it. */
import { readdirSync, readFileSync } from 'node:fs'

const fixtures = new URL('../test/fixtures/', import.meta.url)
const folder = 'domains/damp/'

/** The files of the example by their places below `src`, with imports as they are written there. */
export function workedExample(): ReadonlyMap<string, string> {
  const inFolder = readdirSync(new URL(folder, fixtures)).sort()
  return new Map(
    ['contract/damp.ts', ...inFolder.map((name) => folder + name)].map((path) => [
      `src/${path}`,
      asInSource(readFileSync(new URL(path, fixtures), 'utf8')),
    ]),
  )
}

const asInSource = (code: string): string =>
  code
    .replaceAll("'../../../src/contract/", "'./")
    .replaceAll("'../../../../src/domains/", "'../")
    .replaceAll("'../../../../src/", "'../../")

/** The document with the example's files in place of its code blocks that begin with `// src/...`. */
export function withWorkedExample(document: string): string {
  const files = workedExample()
  return document.replace(/```ts\n\/\/ (src\/\S+)\n[\s\S]*?```/g, (block, path: string) => {
    const code = files.get(path)
    return code === undefined ? block : `\`\`\`ts\n// ${path}\n${code}\`\`\``
  })
}
