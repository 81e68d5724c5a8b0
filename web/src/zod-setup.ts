import { z } from 'zod'

// zod compiles parsers with `new Function`, which the page's content security policy refuses; must run before any schema is built
z.config({ jitless: true })
