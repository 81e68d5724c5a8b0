/** A promise to the clients of an older system. */
export interface Row {
  /** As a client writes it: a route, topic, variable, event, message; for a rule, a name. */
  readonly id: string
  readonly promise: string
  /** Names in its payloads, query or answers, separated by spaces. */
  readonly fields: string
  /** The golden test that holds it, or `open`. */
  readonly test: GoldenTest | 'open'
}

export interface GoldenTest {
  /** From the root. */
  readonly file: string
  /** Name of the test, or of its row in a table of tests. */
  readonly name: string
}

export interface System {
  readonly name: string
  readonly rows: readonly Row[]
}

export const open = (id: string, promise: string, fields = ''): Row => ({ id, promise, fields, test: 'open' })

export const held = (id: string, promise: string, test: GoldenTest, fields = ''): Row => ({
  id,
  promise,
  fields,
  test,
})

/** Tests of one file. */
export const testsOf =
  (file: string) =>
  (name: string): GoldenTest => ({ file, name })

export const config = testsOf('src/config/load.test.ts')
export const csv = testsOf('src/sources/csv/shared-data.test.ts')
export const door = testsOf('test/api/door.test.ts')
export const live = testsOf('test/api/live.test.ts')
export const smoke = testsOf('test/api/smoke.test.ts')
