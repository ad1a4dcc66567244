// openid-client as its documentation uses it: one sign-in from discovery to sign-out.
import * as client from 'openid-client'
import { done, privateKey, refusal, told, visit } from './talk.mjs'

const authentication = told.jwk
  ? client.PrivateKeyJwt(await privateKey(told.jwk))
  : client.ClientSecretBasic(told.client_secret)
const plain = { execute: [client.allowInsecureRequests] }
const config = await client.discovery(new URL(told.issuer), told.client_id, told.metadata, authentication, plain)
client.enableNonRepudiationChecks(config) // validates the id_token's signature, too, by the server's JWKS

const verifier = client.randomPKCECodeVerifier()
const state = client.randomState()
const nonce = client.randomNonce()
const address = client.buildAuthorizationUrl(config, {
  redirect_uri: told.redirect_uri,
  scope: told.scope,
  aud: told.fhir,
  code_challenge: await client.calculatePKCECodeChallenge(verifier),
  code_challenge_method: 'S256',
  state,
  nonce,
})
const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true }
const back = await visit(address)
const tokens = await client.authorizationCodeGrant(config, back, checks)
const claims = tokens.claims()
const userinfo = await client.fetchUserInfo(config, tokens.access_token, claims.sub)
const before = await client.tokenIntrospection(config, tokens.access_token)

const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token)
const url = new URL(`${told.fhir}/ImagingStudy?patient=${tokens.patient}`)
const read = await (await client.fetchProtectedResource(config, refreshed.access_token, url, 'GET')).json()

const out = client.buildEndSessionUrl(config, {
  id_token_hint: tokens.id_token,
  post_logout_redirect_uri: told.after,
  state: 'bye',
})
const signedOut = await visit(out)

await client.tokenRevocation(config, refreshed.refresh_token)
const after = await client.tokenIntrospection(config, refreshed.access_token)
const dead = await refusal(client.refreshTokenGrant(config, refreshed.refresh_token))
const refused = await refusal(client.fetchProtectedResource(config, refreshed.access_token, url, 'GET'))
done({
  metadata: config.serverMetadata(),
  answer: Object.fromEntries(back.searchParams),
  state,
  nonce,
  tokens,
  claims,
  userinfo,
  before,
  refreshed,
  refreshedClaims: refreshed.claims() ?? null,
  read,
  signedOut: signedOut.href,
  after,
  dead,
  refused,
})
