/**
 * All errors of Homeostat: code, sentence, HTTP status, process exit code.
 * A sentence may hold {placeholders}; `problem` fills them.
 */
const table = {
  // a reading that goes to quarantine
  payload_not_json: { status: 400, exit: 2, sentence: 'The payload is not JSON: {detail}.' },
  payload_too_large: {
    status: 413,
    exit: 2,
    sentence: 'The payload has {bytes} bytes; at most {limit} are taken.',
  },
  topic_unmapped: {
    status: 400,
    exit: 2,
    sentence: 'No mapping of the configuration fits the topic "{topic}".',
  },
  line_invalid: {
    status: 400,
    exit: 2,
    sentence:
      'Line {line} is no line protocol: {reason}. A line is "measurement,tag=text field=1.5 TIMESTAMP".',
  },
  template_unread: {
    status: 400,
    exit: 2,
    sentence:
      'The value template "{template}" is of a form that is not read; give one like {{ value_json.x | float }}, or map the topic.',
  },
  mapping_invalid: { status: 400, exit: 2, sentence: 'The mapping is not valid: {detail}.' },
  payload_cut: {
    status: 409,
    exit: 2,
    sentence: 'Only the first {limit} characters of the payload were kept: it cannot be read again.',
  },
  nothing_read: { status: 409, exit: 2, sentence: 'The message gives no reading.' },
  reading_not_object: { status: 400, exit: 2, sentence: 'A reading must be an object, not {got}.' },
  field_missing: { status: 400, exit: 2, sentence: 'The field "{field}" is missing.' },
  id_invalid: {
    status: 400,
    exit: 2,
    sentence: 'The field "{field}" must be text of 1 to {limit} characters without control characters.',
  },
  id_reserved: {
    status: 400,
    exit: 2,
    sentence:
      'The device "{device}" begins with @, which is reserved for series that the hub derives itself.',
  },
  value_not_number: {
    status: 400,
    exit: 2,
    sentence: 'The value {got} is not a finite number nor a known state such as on, off, open, closed.',
  },
  value_too_large: {
    status: 400,
    exit: 2,
    sentence: 'The value {got} {unit} is too large to be converted to {canonical}.',
  },
  unit_invalid: { status: 400, exit: 2, sentence: 'The unit must be text of at most {limit} characters.' },
  unit_unknown: {
    status: 400,
    exit: 2,
    sentence:
      'The unit "{unit}" is not known for the metric "{metric}"; give one that converts to {canonical}{hint}.',
  },
  unit_ambiguous: {
    status: 400,
    exit: 2,
    sentence:
      'The unit "{unit}" may be {options}: m is a thousandth and M a million. Write it as one of these for the metric "{metric}".',
  },
  unit_changed: {
    status: 400,
    exit: 2,
    sentence: 'This series is in "{was}"; the unit "{unit}" does not convert to it. Use another metric name.',
  },
  at_invalid: {
    status: 400,
    exit: 2,
    sentence:
      'The time {got} is neither ISO 8601 nor milliseconds since 1970 (a number of seconds must be multiplied by 1000).',
  },
  at_in_future: {
    status: 400,
    exit: 2,
    sentence:
      'The time {at} lies more than {limitMinutes} minutes in the future of this hub; check the clock of the sender.',
  },
  series_limit: {
    status: 429,
    exit: 2,
    sentence: 'The hub keeps {limit} series already; raise limits.series to take more.',
  },

  // requests
  request_invalid: { status: 400, exit: 2, sentence: 'The request is not valid: {detail}.' },
  cursor_invalid: { status: 400, exit: 2, sentence: 'The cursor is not one that this hub gave out.' },
  batch_too_large: {
    status: 413,
    exit: 2,
    sentence: 'A request holds at most {limit} readings, this one {got}.',
  },
  headers_too_large: { status: 431, exit: 2, sentence: 'The headers of the request are too large.' },
  request_too_slow: { status: 408, exit: 5, sentence: 'The request took too long to arrive.' },
  body_too_large: { status: 413, exit: 2, sentence: 'The body is larger than {limit} bytes.' },
  body_too_complex: { status: 413, exit: 2, sentence: 'The body has more than {limit} {what}.' },
  bodies_too_large: {
    status: 503,
    exit: 5,
    sentence:
      'The bodies of all requests together exceed {limit} bytes (limits.bodiesBytes); try again shortly.',
  },
  key_missing: {
    status: 401,
    exit: 3,
    sentence: 'Sign in, or send an API key as "Authorization: Bearer KEY" or "X-API-Key: KEY".',
  },
  key_unknown: { status: 401, exit: 3, sentence: 'The API key is not known or was revoked.' },
  sign_in_failed: { status: 401, exit: 3, sentence: 'The name or the password is not right.' },
  session_ended: { status: 401, exit: 3, sentence: 'This session has ended; sign in again.' },
  token_invalid: { status: 401, exit: 3, sentence: 'The token is not valid any more; log in again.' },
  cross_site: {
    status: 403,
    exit: 3,
    sentence:
      'The {header} header "{got}" does not name a page of this hub; a request with a cookie, or for one, must come from its own page.',
  },
  user_exists: { status: 409, exit: 5, sentence: 'There is already a user "{name}".' },
  users_full: { status: 409, exit: 5, sentence: 'There are already {limit} users (limits.users).' },
  not_a_user: {
    status: 409,
    exit: 5,
    sentence: 'This belongs to users who are signed in; the caller is {caller}.',
  },
  preferences_too_large: {
    status: 413,
    exit: 2,
    sentence: 'The preferences have {bytes} bytes; at most {limit} are kept (limits.preferencesBytes).',
  },
  role_too_low: { status: 403, exit: 3, sentence: 'This needs the role {need}; the key has {have}.' },
  site_forbidden: { status: 403, exit: 3, sentence: 'The key does not reach the site "{site}".' },
  host_forbidden: {
    status: 403,
    exit: 3,
    sentence: 'The {header} header "{got}" is not a loopback name; this hub is open to this machine only.',
  },
  method_not_allowed: {
    status: 405,
    exit: 4,
    sentence: 'This path does not take {method}; it takes {allowed}.',
  },
  not_found: { status: 404, exit: 4, sentence: 'There is no {what}.' },
  rate_limited: { status: 429, exit: 5, sentence: 'Too many requests; try again in {seconds} s.' },
  not_acceptable_state: { status: 409, exit: 5, sentence: '{detail}.' },
  overloaded: {
    status: 503,
    exit: 5,
    sentence: 'The inbox is full ({limit} readings wait); try again shortly.',
  },
  exports_full: {
    status: 503,
    exit: 5,
    sentence:
      'The hub writes {limit} answers in CSV already (limits.exports); try again when one of them has ended.',
  },
  journal_damaged: {
    status: 500,
    exit: 6,
    sentence:
      'The journal is damaged: segment {segment}, offset {offset}: {detail}. Restore the data folder from a backup, or move the segment and those after it away to go on without what only they hold.',
  },
  stopping: { status: 503, exit: 5, sentence: 'The hub is stopping.' },
  store_failed: { status: 503, exit: 6, sentence: 'The readings could not be stored: {detail}.' },
  turn_refused: { status: 500, exit: 6, sentence: 'The store cannot keep what it was given: {detail}.' },
  change_not_stored: { status: 503, exit: 6, sentence: 'The change could not be stored: {detail}.' },
  internal: {
    status: 500,
    exit: 70,
    sentence: 'Something is wrong inside the hub; its log names it under {reference}.',
  },

  record_too_large: {
    status: 413,
    exit: 2,
    sentence: 'The record has {bytes} bytes; at most {limit} are stored (limits.recordBytes).',
  },
  records_full: {
    status: 409,
    exit: 5,
    sentence: 'The domain {domain} already has {limit} records on this site (limits.recordsPerDomain).',
  },
  settings_invalid: { status: 400, exit: 2, sentence: 'The setting {key} is not valid: {detail}.' },

  model_refused: { status: 409, exit: 2, sentence: 'The model {model} is refused: {detail}.' },
  model_missing: { status: 404, exit: 4, sentence: 'There is no model of {model}: {detail}.' },

  // start and commands
  config_invalid: { status: 500, exit: 2, sentence: '{where}: {detail}.' },
  config_key_unknown: { status: 500, exit: 2, sentence: '{where}: there is no key "{key}".{hint}' },
  auth_required: {
    status: 500,
    exit: 2,
    sentence:
      'Refusing to listen on {host} without authentication. Make a user or a key first (homeostat user create NAME --role admin, homeostat key create NAME --role admin) or listen on 127.0.0.1.',
  },
  data_locked: {
    status: 409,
    exit: 5,
    sentence: 'The folder {folder} is held by another hub (process {pid}).',
  },
  data_lost: {
    status: 500,
    exit: 6,
    sentence:
      'The data folder {folder} is not whole: {detail}. Restore a backup (homeostat restore FILE --data NEWFOLDER), or go on without what is lost: homeostat serve --accept-loss.',
  },
  data_damaged: {
    status: 500,
    exit: 6,
    sentence:
      '{file} is damaged: {detail}. Restore a backup (homeostat restore FILE --data NEWFOLDER){otherwise}.',
  },
  restore_unfinished: {
    status: 409,
    exit: 5,
    sentence:
      'A restore into {folder} was interrupted; repeat it (homeostat restore FILE --data {folder}) before a hub uses the folder.',
  },
  folder_not_empty: {
    status: 409,
    exit: 5,
    sentence: 'The folder {folder} is not empty ({found}); restore into an empty or new one.',
  },
  backup_invalid: {
    status: 400,
    exit: 4,
    sentence: '{file} is not a whole backup: {detail}. Use another one.',
  },
  backup_failed: { status: 503, exit: 6, sentence: 'The backup could not be made: {detail}.' },
  replay_gap: {
    status: 409,
    exit: 5,
    sentence:
      'The journal in {journal} lacks turns: the stores in {folder} have those up to {position}, and it goes on with turn {next}, stored at {at}. Begin with a copy of stores that have turn {needed} or a later one.',
  },
  replay_newer: {
    status: 409,
    exit: 5,
    sentence:
      'The stores in {folder} already have turn {position}, which is later than {limit}. Begin with an older copy of them, or with an empty folder.',
  },
  disk_full: {
    status: 503,
    exit: 6,
    sentence:
      'The disk of the data folder {folder} is full ({free} bytes are free; {detail}). Make room on it or enlarge it, then start again; nothing that was acknowledged is lost.',
  },
  data_unwritable: {
    status: 500,
    exit: 6,
    sentence: 'The data folder {folder} cannot be written: {detail}.',
  },
  hub_gone: {
    status: 503,
    exit: 5,
    sentence: 'The hub at {url} stopped answering ({detail}). Start it again, then repeat the command.',
  },
  port_taken: {
    status: 500,
    exit: 5,
    sentence: 'The port {port} on {host} is taken; choose another with {option}.',
  },
  file_unreadable: { status: 400, exit: 4, sentence: '{file}: {detail}.' },
  column_unknown: { status: 400, exit: 2, sentence: '{file} has no column "{column}"; it has {columns}.' },
  mapping_unclear: { status: 400, exit: 2, sentence: '{file}: {detail}.' },
  data_invalid: { status: 400, exit: 2, sentence: '{detail}.' },
} as const satisfies Record<string, { status: number; exit: number; sentence: string }>

export type ErrorCode = keyof typeof table

/** What went wrong, as data: returned where the caller needs to know, quarantined, or sent as problem+json. */
export interface Problem {
  readonly code: ErrorCode
  readonly message: string
}

export type Details = Readonly<Record<string, string | number>>

/** Builds a problem from its code; `details` fill the placeholders of the sentence. */
export function problem(code: ErrorCode, details: Details = {}): Problem {
  const message = table[code].sentence.replace(/\{(\w+)\}/g, (whole, name: string) =>
    String(details[name] ?? whole),
  )
  return { code, message }
}

/** HTTP status of a code. */
export const statusOf = (code: ErrorCode): number => table[code].status

/** Process exit code of a code. */
export const exitOf = (code: ErrorCode): number => table[code].exit

/** All codes, for documents and tests. */
export const errorCodes: readonly ErrorCode[] = Object.freeze(Object.keys(table) as ErrorCode[])

/** A problem that must stop the caller (start-up, a command, a request). Never used for a bad reading. */
export class HomeostatError extends Error {
  readonly code: ErrorCode

  constructor(code: ErrorCode, details: Details = {}, cause?: unknown) {
    super(problem(code, details).message, cause === undefined ? undefined : { cause })
    this.name = 'HomeostatError'
    this.code = code
  }
}
