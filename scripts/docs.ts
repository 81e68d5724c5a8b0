/** Writes the documents that are made from code. A test holds them to it. */
import { writeFileSync } from 'node:fs'
import { exampleYaml } from '../src/config/example.ts'
import { domains } from '../src/domains/index.ts'

writeFileSync(new URL('../docs/homeostat.example.yaml', import.meta.url), exampleYaml(domains))
