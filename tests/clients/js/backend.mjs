// oauth4webapi as a service with a key of its own, with nobody at a browser.
import * as oauth from 'oauth4webapi'
import { done, privateKey, refusal, told } from './talk.mjs'

const plain = { [oauth.allowInsecureRequests]: true }
const issuer = new URL(told.issuer)
const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...plain }))
const client = { client_id: told.client_id }
const authentication = oauth.PrivateKeyJwt(await privateKey(told.jwk))

async function token(how, scope) {
  const answer = await oauth.clientCredentialsGrantRequest(server, client, how, { scope }, plain)
  return oauth.processClientCredentialsResponse(server, client, answer)
}
const tokens = await token(authentication, told.scope)
const asking = await oauth.introspectionRequest(server, client, authentication, tokens.access_token, plain)
const introspected = await oauth.processIntrospectionResponse(server, client, asking)

const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-384' }, false, ['sign', 'verify'])
const stranger = await refusal(token(oauth.PrivateKeyJwt({ key: pair.privateKey, kid: told.jwk.kid }), told.scope))
const personal = await refusal(token(authentication, 'patient/*.rs'))

const revoking = await oauth.revocationRequest(server, client, authentication, tokens.access_token, plain)
await oauth.processRevocationResponse(revoking)
const after = await oauth.processIntrospectionResponse(
  server, client, await oauth.introspectionRequest(server, client, authentication, tokens.access_token, plain))
done({ tokens, introspected, stranger, personal, after })
