/** Writes what documents take from code. A test holds them to it. */
import { readFileSync, writeFileSync } from 'node:fs'
import { exampleYaml } from '../src/config/example.ts'
import { domains } from '../src/domains/index.ts'
import { withWorkedExample } from './worked-example.ts'

writeFileSync(new URL('../docs/homeostat.example.yaml', import.meta.url), exampleYaml(domains))
const contributing = new URL('../CONTRIBUTING.md', import.meta.url)
writeFileSync(contributing, withWorkedExample(readFileSync(contributing, 'utf8')))
