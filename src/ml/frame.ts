/**
 * A table of features, column by column. NaN means missing. Columns all hold `rows` values and are never written to
 * by a learner. `categorical` names the columns whose values are category codes (whole numbers >= 0) without order.
 */
export interface Frame {
  readonly rows: number
  readonly names: readonly string[]
  readonly columns: readonly Float64Array[]
  readonly categorical?: readonly string[]
}
