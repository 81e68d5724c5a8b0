import { isIP } from 'node:net'
import { z } from 'zod'

/** Keys about who may come in and how: accounts, trusted networks, other pages, TLS, proxies, slow and large requests. */

const count = (min: number, max: number, fallback: number) => z.int().min(min).max(max).default(fallback)
const kib = 1024
const mib = 1024 * kib

const network = z
  .string()
  .max(49)
  .refine(isNetwork, 'an address such as 192.168.1.5, or a network such as 192.168.1.0/24')

const auth = z
  .strictObject({
    required: z.boolean().default(false).describe('Ask for a key on this machine, too.'),
    trustedNetworks: z
      .array(network)
      .max(100)
      .default([])
      .meta({ examples: ['192.168.1.0/24'] })
      .describe(
        'Networks whose devices need no key on the routes and topics of the older systems; there they are operators.',
      ),
    sessionDays: z
      .number()
      .min(0.01)
      .max(3650)
      .default(30)
      .describe('How long a user stays signed in on a device that is not used.'),
    accessSeconds: count(10, 86_400, 900).describe('How long an access token is valid.'),
    signInsPerName: count(1, 100_000, 10).describe(
      'Sign-ins that may fail within auth.signInMinutes, by name.',
    ),
    signInsPerAddress: count(1, 1_000_000, 50).describe(
      'Sign-ins that may fail within auth.signInMinutes, by address.',
    ),
    signInMinutes: count(1, 1440, 15).describe('How long failed sign-ins are counted.'),
  })
  .prefault({})
  .describe('Who may come in.')

const cors = z
  .strictObject({
    origins: z
      .array(
        z.string().max(300).refine(isOrigin, 'an origin such as https://panel.example.org, without a path'),
      )
      .max(100)
      .default([])
      .meta({ examples: ['https://panel.example.org'] })
      .describe('Pages of other origins that may use the API with a key; exactly these.'),
  })
  .prefault({})
  .describe('Pages of other origins.')

const file = z.string().min(1).max(4096).optional()
const tls = z
  .strictObject({
    cert: file.describe('PEM file of the certificate with its chain, for page, API, WebSockets and MQTT.'),
    key: file.describe('PEM file of its private key. Both are read again when they change.'),
    checkSeconds: count(1, 86_400, 10).describe('How often to look whether the files have changed.'),
  })
  .refine(({ cert, key }) => (cert === undefined) === (key === undefined), {
    message: 'set together with tls.cert',
    path: ['key'],
  })
  .prefault({})
  .describe('Encryption.')

const trustProxy = z
  .array(network)
  .max(100)
  .default([])
  .meta({ examples: ['127.0.0.1'] })
  .describe('Reverse proxies whose X-Forwarded-* headers are believed; exactly these addresses and networks.')

export const edge = { auth, cors, tls, trustProxy }

/** Part of `limits`. */
export const edgeLimits = {
  bodiesBytes: count(kib, 16_384 * mib, 64 * mib).describe(
    'Length of all requests that arrive or wait, together.',
  ),
  headersSeconds: count(1, 3600, 20).describe('Time for the headers of a request to arrive.'),
  requestSeconds: count(1, 86_400, 120).describe('Time for a whole request to arrive.'),
  users: count(1, 100_000, 1000).describe('Users.'),
  sessionsPerUser: count(1, 1000, 50).describe('Devices on which a user is signed in; then the oldest ends.'),
  preferencesBytes: count(64, mib, 8 * kib).describe('Length of the preferences of a user.'),
}

function isNetwork(text: string): boolean {
  const [address = '', prefix, ...rest] = text.split('/')
  const family = isIP(address)
  if (family === 0 || rest.length > 0) return false
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128))
}

function isOrigin(text: string): boolean {
  try {
    return new URL(text).origin === text
  } catch {
    return false
  }
}
