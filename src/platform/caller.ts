/** An answer is not read further than this; only its status counts. */
const answerBytesMax = 64 * 1024

const bodiless = new Set(['GET', 'HEAD'])

/**
 * Calls an address with a JSON body; GET and HEAD go without one. Resolves when the other side took it (2xx), rejects
 * with a sentence otherwise. A redirect is an answer like any other: the hub calls what it was told to, nothing else.
 * `limitMs` bounds the whole exchange; the caller's signal ends it earlier.
 */
export function createCaller(
  limitMs = 10_000,
): (url: string, method: string, body: unknown, signal: AbortSignal) => Promise<void> {
  return async (url, method, body, signal) => {
    const { protocol, host } = new URL(url)
    if (protocol !== 'http:' && protocol !== 'https:') throw new Error(`"${protocol}" is not http or https.`)
    const limit = AbortSignal.timeout(limitMs)
    const init: RequestInit = {
      ...{ method, redirect: 'manual', signal: AbortSignal.any([signal, limit]) },
      headers: {
        'user-agent': 'homeostat',
        ...(bodiless.has(method) ? {} : { 'content-type': 'application/json' }),
      },
      ...(bodiless.has(method) ? {} : { body: JSON.stringify(body) }),
    }
    try {
      const answer = await fetch(url, init)
      await drain(answer)
      if (!answer.ok) throw new Error(`${host} answered ${answer.status}.`)
    } catch (error) {
      if (signal.aborted) throw signal.reason
      if (limit.aborted) throw new Error(`${host} did not answer within ${limitMs / 1000} s.`)
      throw withReason(error, host)
    }
  }
}

/** Reads a small answer to its end, so that the connection can be used again; of a large one nobody wants the rest. */
async function drain({ body }: Response): Promise<void> {
  if (!body) return
  const reader = body.getReader()
  for (let bytes = 0; bytes <= answerBytesMax; ) {
    const { done, value } = await reader.read()
    if (done) return
    bytes += value.byteLength
  }
  await reader.cancel()
}

/** fetch says "fetch failed" and hides why in the cause. */
function withReason(error: unknown, host: string): Error {
  if (!(error instanceof TypeError) || !(error.cause instanceof Error)) {
    return error instanceof Error ? error : new Error(String(error))
  }
  const { message } = error.cause
  const code = 'code' in error.cause ? String(error.cause.code) : ''
  return new Error(`${host} could not be called: ${message || code || 'no reason given'}.`, { cause: error })
}
