import type { z } from 'zod'
import type { DomainRoutes } from '../contract/route.ts'
import type { DomainHub } from '../core/domain-hub.ts'
import type { Alert, Card, Command, Forecast, PointPrediction, Series, SeriesKey } from '../core/event.ts'
import type { Truth } from '../core/forecast.ts'
import type { Drift, Loss, StoredModel } from '../core/life.ts'
import type { Reading } from '../core/reading.ts'
import type { Target } from '../core/target.ts'
import type { Judged } from '../ml/gate.ts'

/**
 * Everything that the hub knows about one field, in one folder: what there is to watch on a site, the monitors that
 * watch it, and what is learnt from it. Listed in `domains/index.ts`; nothing else names a domain.
 */
export interface Domain<Schema extends z.ZodObject = z.ZodObject> {
  /** Lower case; names the folder, the key under `domains` in the configuration and the domain of its targets. */
  readonly name: string
  /**
   * Schema of its settings, from its contract file: strict, each key with a default and a description. They are set
   * under `domains.<name>` in the configuration, and by site over the API.
   */
  readonly settings: Schema
  /** Lists that older versions had at the top of the configuration file, by the setting whose list they extend now. */
  readonly olderKeys?: Readonly<Record<string, string>>
  /** How old a reading may be to raise alerts, ms; default: `limits.liveWithinMs`. Older alerts are marked late. */
  readonly liveWithinMs?: number
  /** Declares that derived series can be derived again from stored readings, and how far one reading reaches. */
  readonly rebuild?: RebuildReach
  /**
   * The targets that `changed` series belong to, each with all its sources; of all series of the site where `changed`
   * is absent. Called when a series is first seen, so its cost must not grow with the site.
   */
  scopes(site: SiteView, settings: z.output<Schema>, changed?: readonly Series[]): readonly Scope[]
  /** A state machine for one target: at its start, or where another left it (see `Resume`). */
  monitor?(scope: Scope, settings: z.output<Schema>, resume?: Resume): Monitor
  readonly learning?: Learning
  /** Its part of the API; loaded when the API starts, so that commands and workers do without. */
  readonly routes?: () => Promise<DomainRoutes<DomainHub>>
}

/** A derived value depends on the readings from `warmUpMs` before it to `settleMs` after it. */
export interface RebuildReach {
  readonly warmUpMs: number
  readonly settleMs: number
}

/** One site, as a domain sees it. */
export interface SiteView {
  readonly site: string
  /** IANA zone. */
  readonly zone: string
  /** All series of a device. */
  ofDevice(device: string): readonly Series[]
  /** All series in a room. */
  inRoom(room: string): readonly Series[]
  all(): Iterable<Series>
}

/** A target and the series that it is concluded from. */
export interface Scope {
  readonly target: Target
  readonly sources: readonly Series[]
}

/**
 * The state machine of one target. Pure and quick: no I/O and no clock of its own, since it runs before the commit.
 * The engine passes each reading of a source once, in order of time; readings that arrive later than newer ones of
 * their series are left to `rebuild`. What it returns for readings that are history raises no alert (the engine holds
 * it back).
 */
export interface Monitor {
  /** UTC ms at which it wants to be woken without a reading; Infinity: never. Read again after each call. */
  readonly wakeAt: number
  take(event: Reading | 'wake', now: number): Effects | undefined
  /** A new forecast of its target is live. */
  use?(forecast: Forecast): void
  /** State as plain JSON, to resume after a restart; undefined: nothing that the last readings would not tell. */
  save?(): unknown
}

/** What is known of a target when its monitor is made anew: after a restart, with other settings, or other sources. */
export interface Resume {
  /** What `save` returned last; undefined where nothing was saved. */
  readonly saved?: unknown
  /** Alerts of the target that are not closed; one that no longer applies must be closed by the new monitor. */
  readonly open: readonly Alert[]
}

/** What a monitor concludes. Derived readings carry `derivedDevice(target)` as their device. */
export interface Effects {
  readonly derived?: readonly Reading[]
  readonly predictions?: readonly PointPrediction[]
  readonly alerts?: readonly Alert[]
  readonly commands?: readonly Command[]
}

/** History of one target: regular steps. */
export interface Steps extends Truth {
  readonly unit: string
  /** What was repaired on the way, in steps or events. */
  readonly repairs: Readonly<Record<string, number>>
}

/** Input of every task of a domain: plain data only, since it is transferred to a worker. */
export interface TaskInput extends Steps {
  readonly target: Target
  readonly zone: string
  readonly now: number
}

/** A new forecast by the live model (the naive one if there is none) and by those in shadow. */
export interface ForecastInput extends TaskInput {
  readonly mode: 'forecast'
  readonly live?: StoredModel
  readonly shadows: readonly StoredModel[]
  /** Compare the newest week's inputs with those that each model learnt from; costs more than the forecast. */
  readonly drift: boolean
}

export interface ForecastOutput {
  readonly published: Forecast
  /** In the order of the input's shadows; the naive forecast is the baseline of each. */
  readonly shadows: readonly Forecast[]
  /** The naive forecast's own card, if it is the published one. */
  readonly naive?: Card
  readonly drifts: readonly Drift[]
}

/** Train from scratch and compare with the naive forecasts and the live model, on steps that none of them has seen. */
export interface LearnInput extends TaskInput {
  readonly mode: 'learn'
  readonly live?: StoredModel
}

/** A derived series on regular steps, [from, to) in UTC ms. */
export interface Need {
  /** Its name in the dataset. */
  readonly name: string
  readonly series: SeriesKey
  readonly from: number
  readonly to: number
  readonly stepMs: number
}

/** What was needed, by name; NaN where a step is absent. */
export type Dataset = Readonly<Record<string, Truth>>

/** One row of features for online prediction; an absent feature is missing. */
export type FeatureRow = Readonly<Record<string, number>>

/** A model that is ready to predict on the loop. */
export interface OpenModel {
  /** One number a row, in the unit of the card. */
  predict(rows: readonly FeatureRow[]): Float64Array
}

/** How often the newest readings of a measured series came. */
export interface MeasuredPace {
  readonly metric: string
  /** Readings that are known, of the newest ones. */
  readonly readings: number
  /** Median distance of two of them, ms; NaN for a single one. */
  readonly everyMs: number
}

/** How the targets of a domain are learnt and forecast. */
export interface Learning {
  /** Unique among the domains: workers find it by its name. */
  readonly name: string
  /** Runs in a worker. Pure: data in, data out. */
  forecast(input: ForecastInput): ForecastOutput
  /** As `forecast`; the gate decides on the result. `onProgress` is called with the share that is done, 0 to 1. */
  learn(input: LearnInput, onProgress?: (share: number) => void): Judged
  /**
   * What a training or forecast reads: derived series on regular steps. `newestAt` is the start of the newest derived
   * step, UTC ms; at most `historyMs` before it are needed.
   */
  needs(target: Target, newestAt: number, historyMs?: number): readonly Need[]
  /** The history of the target; undefined if not one step of it is whole. */
  steps(data: Dataset): Steps | undefined
  /** Length of the steps that are forecast, ms: a new forecast is made when a further one is whole. */
  readonly everyMs: number
  /** Length of the derived steps that it needs, ms. */
  readonly stepMs: number
  /** The measured series of the target: what is forgotten of one of them is not learnt from. */
  measured(target: Target): readonly SeriesKey[]
  /** Whether the history suffices for training; if not, only the naive forecast is published. */
  isEnough(steps: Steps): boolean
  /** Why nothing is learnt from this history (undefined: not one step of it is whole): a sentence for its user. */
  whyNot(steps: Steps | undefined, paces: readonly MeasuredPace[]): string
  /**
   * Builds the model completely and repeats the predictions that it was stored with; throws HomeostatError
   * `model_refused` if it is damaged, foreign, or its predictions differ from those of the training.
   */
  open(model: StoredModel): OpenModel
  /** Losses of the steps of a forecast whose truth is known as a whole, in order of time. */
  loss(forecast: Forecast, truth: Truth): readonly Loss[]
}
