/** The hub from source; `npm run dev` starts it again after each change. */
import { run } from '../src/cli/cli.ts'

await run(process.argv)
