import { type ErrorCode, errorCodes, HomeostatError } from '../core/errors.ts'
import type { Emit } from '../core/ports.ts'
import type { HubAddress } from '../platform/folder.ts'

/** A running hub, reached over its API with the key that it stored for this user. */
export interface HubClient {
  request(method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<unknown>
  /** Sends readings; waits and retries while the hub is full. */
  readonly emit: Emit
}

const retryMs = 500
const retriesMax = 120

export function createHubClient(address: HubAddress): HubClient {
  const request = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const { ok, answer } = await send(address.url, path, {
      method,
      headers: {
        authorization: `Bearer ${address.secret}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    // a batch of which every row was bad is answered with 400 and the rows' own errors
    if (ok || isReceipt(answer)) return answer
    throw toError(answer)
  }
  return {
    request,
    async emit(batch) {
      const readings = batch.map(({ site, device, metric, value, unit, at, room }) => ({
        site,
        device,
        metric,
        value,
        unit,
        at,
        room,
      }))
      for (let attempt = 1; ; attempt++) {
        try {
          const { accepted, rejected } = toReceipt(await request('POST', '/api/v1/readings', { readings }))
          return {
            accepted,
            rejected: rejected.map(({ index, code, message }) => ({ index, problem: { code, message } })),
          }
        } catch (error) {
          if (!(error instanceof HomeostatError) || error.code !== 'overloaded' || attempt === retriesMax)
            throw error
          await new Promise((resolve) => setTimeout(resolve, retryMs))
        }
      }
    },
  }
}

const announceEveryMs = 15_000
/** As many sites as the hub takes of one import. */
const sitesMax = 1000

/**
 * Hands the readings of an import in. The hub is told that one runs, and for which sites, before their first readings
 * come, so that it learns from nothing before all of them are there; `end` tells it that they are.
 */
export function announcedImport(
  { request, emit }: HubClient,
  defaultSite: string,
): { readonly emit: Emit; end(): Promise<void> } {
  const sites = new Set<string>()
  let id: string | undefined
  let timer: NodeJS.Timeout | undefined
  const announce = async (): Promise<void> => {
    const body = { sites: [...sites].slice(0, sitesMax) }
    try {
      if (id !== undefined) return void (await request('PUT', `/api/v1/imports/${id}`, body))
    } catch (error) {
      // the hub was started again, or heard nothing for too long
      if (!(error instanceof HomeostatError) || error.code !== 'not_found') throw error
    }
    try {
      id = idOf(await request('POST', '/api/v1/imports', body))
    } catch (error) {
      // so many imports run that the hub keeps no count of a further one; its readings are taken all the same
      if (!(error instanceof HomeostatError) || error.code !== 'not_acceptable_state') throw error
    }
  }
  return {
    async emit(batch) {
      const before = sites.size
      for (const { site = defaultSite } of batch) if (typeof site === 'string') sites.add(site)
      if (sites.size > before) await announce()
      // a hub that cannot be reached now is reported by the readings themselves
      timer ??= setInterval(() => void announce().catch(() => undefined), announceEveryMs).unref()
      return emit(batch)
    },
    async end() {
      clearInterval(timer)
      if (id !== undefined) await request('DELETE', `/api/v1/imports/${id}`).catch(() => undefined)
    },
  }
}

function idOf(answer: unknown): string {
  if (typeof answer === 'object' && answer !== null && 'id' in answer && typeof answer.id === 'string')
    return answer.id
  throw new HomeostatError('data_invalid', { detail: 'the hub announced no import' })
}

/** Rejects with `hub_gone` if the hub stops before it answers: whether the request took effect is then unknown. */
async function send(
  url: string,
  path: string,
  request: RequestInit,
): Promise<{ readonly ok: boolean; readonly answer: unknown }> {
  try {
    const response = await fetch(new URL(path, url), request)
    return { ok: response.ok, answer: await response.json() }
  } catch (error) {
    const { cause } = error as Error
    const detail = cause instanceof Error ? cause.message : String(error)
    throw new HomeostatError('hub_gone', { url, detail }, error)
  }
}

interface Answer {
  readonly accepted: number
  readonly rejected: readonly { readonly index: number; readonly code: ErrorCode; readonly message: string }[]
}

const isReceipt = (answer: unknown): answer is Answer =>
  typeof answer === 'object' && answer !== null && 'accepted' in answer && 'rejected' in answer

function toReceipt(answer: unknown): Answer {
  if (isReceipt(answer)) return answer
  throw new HomeostatError('data_invalid', {
    detail: 'the hub answered in a form that this version does not know',
  })
}

/** The hub's own sentence, under its own code. */
export function toError(answer: unknown): Error {
  const { code, detail } = (answer ?? {}) as { code?: string; detail?: string }
  const known = errorCodes.find((one) => one === code)
  const error = new HomeostatError(known ?? 'data_invalid', { detail: detail ?? 'the hub refused' })
  if (detail !== undefined) error.message = detail
  return error
}
