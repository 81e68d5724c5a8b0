/** Writes what documents take from code. A test holds them to it. */
import { readFileSync, writeFileSync } from 'node:fs'
import { exampleEnv } from '../src/config/env-example.ts'
import { exampleYaml } from '../src/config/example.ts'
import { domains } from '../src/domains/index.ts'
import { withWorkedExample } from './worked-example.ts'

writeFileSync(new URL('../docs/homeostat.example.yaml', import.meta.url), exampleYaml(domains))
writeFileSync(new URL('../.env.example', import.meta.url), exampleEnv(domains))
const contributing = new URL('../CONTRIBUTING.md', import.meta.url)
writeFileSync(contributing, withWorkedExample(readFileSync(contributing, 'utf8')))
