// oauth4webapi as its documentation uses it: registers itself, then one permission from discovery to its end.
import * as oauth from 'oauth4webapi'
import { done, refusal, told, visit } from './talk.mjs'

const plain = { [oauth.allowInsecureRequests]: true }
const issuer = new URL(told.issuer)
const found = await oauth.discoveryRequest(issuer, { algorithm: told.algorithm, ...plain })
const server = await oauth.processDiscoveryResponse(issuer, found)

const registering = await oauth.dynamicClientRegistrationRequest(server, told.registration, plain)
const client = await oauth.processDynamicClientRegistrationResponse(registering)
const authentication = client.client_secret ? oauth.ClientSecretBasic(client.client_secret) : oauth.None()

const redirect = told.registration.redirect_uris[0]
async function ask() {
  const verifier = oauth.generateRandomCodeVerifier()
  const state = oauth.generateRandomState()
  const nonce = oauth.generateRandomNonce()
  const address = new URL(server.authorization_endpoint)
  address.search = new URLSearchParams({
    client_id: client.client_id,
    redirect_uri: redirect,
    response_type: 'code',
    scope: told.scope,
    aud: told.fhir,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    nonce,
  })
  return { back: await visit(address), verifier, state, nonce }
}
async function redeem(parameters, verifier, nonce) {
  const answer = await oauth.authorizationCodeGrantRequest(server, client, authentication, parameters, redirect, verifier, plain)
  const kept = { cache: answer.headers.get('Cache-Control'), pragma: answer.headers.get('Pragma') }
  const checks = { expectedNonce: nonce, requireIdToken: true }
  return { kept, tokens: await oauth.processAuthorizationCodeResponse(server, client, answer, checks) }
}

const asked = await ask()
// RFC 9207: the library refuses an answer of another issuer, or one that names none although discovery promises it.
const elsewhere = new URL(asked.back)
elsewhere.searchParams.set('iss', 'https://elsewhere.example')
const mixedUp = await refusal((async () => oauth.validateAuthResponse(server, client, elsewhere, asked.state))())
const nameless = new URL(asked.back)
nameless.searchParams.delete('iss')
const withoutIss = await refusal((async () => oauth.validateAuthResponse(server, client, nameless, asked.state))())

const parameters = oauth.validateAuthResponse(server, client, asked.back, asked.state)
const { tokens, kept } = await redeem(parameters, asked.verifier, asked.nonce)
const claims = oauth.getValidatedIdTokenClaims(tokens)
const asking = await oauth.userInfoRequest(server, client, tokens.access_token, plain)
const userinfo = await oauth.processUserInfoResponse(server, client, claims.sub, asking)

const refreshing = await oauth.refreshTokenGrantRequest(server, client, authentication, tokens.refresh_token, plain)
const refreshed = await oauth.processRefreshTokenResponse(server, client, refreshing)
const url = new URL(`${told.fhir}/Patient/${tokens.patient}`)
const reading = await oauth.protectedResourceRequest(refreshed.access_token, 'GET', url, undefined, undefined, plain)
const patient = await reading.json()

let introspected = null
if (client.client_secret) {
  const answer = await oauth.introspectionRequest(server, client, authentication, refreshed.access_token, plain)
  introspected = await oauth.processIntrospectionResponse(server, client, answer)
}
const revoking = await oauth.revocationRequest(server, client, authentication, refreshed.access_token, plain)
await oauth.processRevocationResponse(revoking)
const ended = await refusal(oauth.protectedResourceRequest(refreshed.access_token, 'GET', url, undefined, undefined, plain))

// A code with a verifier that is not its own.
const again = await ask()
const other = oauth.validateAuthResponse(server, client, again.back, again.state)
const wrong = await refusal(redeem(other, oauth.generateRandomCodeVerifier(), again.nonce))
const burned = await refusal(redeem(other, again.verifier, again.nonce))

done({ server, client, kept, tokens, claims, userinfo, refreshed, patient, introspected, ended, mixedUp, withoutIss, wrong, burned })
