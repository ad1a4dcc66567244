// A program's side of the conversation with the test that runs it: a line of JSON each way.
import { createInterface } from 'node:readline'

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const hear = async () => JSON.parse((await lines.next()).value)
const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`)

export const told = await hear()

/** Sends the person's browser to an address; where it ends up. */
export async function visit(address) {
  say({ visit: String(address) })
  return new URL((await hear()).at)
}

/** Says what came of it, and ends. */
export function done(result) {
  process.stdout.write(`${JSON.stringify({ done: result })}\n`, () => process.exit(0))
}

/** What a promise was refused with: the OAuth error's code, or the message. */
export async function refusal(promise) {
  try {
    await promise
    return null
  } catch (error) {
    return { name: error.name, error: error.error ?? error.cause?.error ?? null, status: error.status ?? null, message: error.message }
  }
}

/** The private key of a JWK as Web Crypto holds it, with its id. */
export async function privateKey(jwk) {
  const algorithm = jwk.kty === 'EC'
    ? { name: 'ECDSA', namedCurve: jwk.crv }
    : { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-384' }
  return { key: await crypto.subtle.importKey('jwk', { ...jwk, use: undefined, key_ops: undefined }, algorithm, false, ['sign']), kid: jwk.kid }
}
