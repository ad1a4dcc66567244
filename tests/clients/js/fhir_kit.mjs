// fhir-kit-client: what the server can do, where to ask for a token, and reading and searching with one.
import { CapabilityTool, Client } from 'fhir-kit-client'
import { done, refusal, told } from './talk.mjs'

const client = new Client({ baseUrl: told.fhir, bearerToken: told.token })
const capability = await client.capabilityStatement()
const tool = new CapabilityTool(capability)
const metadata = await client.smartAuthMetadata()

const searchParams = { patient: told.patient, _count: String(told.count), _include: 'ImagingStudy:endpoint' }
const pages = []
let bundle = await client.search({ resourceType: 'ImagingStudy', searchParams })
for (let next = bundle; next && pages.length < 50; next = await client.nextPage({ bundle: next })) pages.push(next)
const studies = pages.flatMap((page) => page.entry ?? []).map((entry) => entry.resource).filter((each) => each.resourceType === 'ImagingStudy')
const first = studies[0]
const read = await client.read({ resourceType: 'ImagingStudy', id: first.id })
const subject = await client.resolve({ reference: first.subject.reference })
const endpoint = await client.resolve({ reference: first.endpoint[0].reference, context: pages[0] })
const posted = await client.search({ resourceType: 'ImagingStudy', searchParams: { patient: told.patient }, options: { postSearch: true } })
const reports = await client.search({ resourceType: 'DiagnosticReport', searchParams: { patient: told.patient } })
const failed = async (call) => {
  try { await call(); return null } catch (error) { return { status: error.response?.status, data: error.response?.data } }
}
done({
  capability: { version: capability.fhirVersion, search: tool.supportFor({ resourceType: 'ImagingStudy', capabilityType: 'interaction', where: { code: 'search-type' } }) },
  metadata: Object.fromEntries(Object.entries(metadata).map(([name, value]) => [name, String(value)])),
  pages: pages.map((page) => ({ total: page.total, studies: (page.entry ?? []).filter((entry) => entry.resource.resourceType === 'ImagingStudy').length })),
  studies: studies.map((each) => each.id),
  uids: studies.map((each) => each.identifier[0].value),
  same: JSON.stringify(read) === JSON.stringify(first),
  subject: { type: subject.resourceType, id: subject.id },
  endpoint: { type: endpoint.resourceType, address: endpoint.address },
  posted: posted.total,
  reports: reports.total,
  absent: await failed(() => client.read({ resourceType: 'ImagingStudy', id: 'no-such-study' })),
  withoutToken: await failed(() => new Client({ baseUrl: told.fhir }).read({ resourceType: 'ImagingStudy', id: first.id })),
})
