import { type ErrorCode, errorCodes, HomeostatError } from '../core/errors.ts'
import type { Emit } from '../core/ports.ts'
import type { HubAddress } from '../platform/folder.ts'

/** A running hub, asked over its API with the key that it left for this user. */
export interface HubClient {
  request(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown): Promise<unknown>
  /** Hands readings in; waits and tries again while the hub is full. */
  readonly emit: Emit
}

const retryMs = 500
const retriesMax = 120

export function createHubClient(address: HubAddress): HubClient {
  const request = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const { ok, answer } = await asked(address.url, path, {
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

/** Rejects with `hub_gone` where the hub ended before it had answered: nothing is known of what was asked then. */
async function asked(
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
