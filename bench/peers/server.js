// The gateway's job by node-soap: node server.js PORT UPSTREAM WSDL AUTHCODE_FILE
import { readFileSync } from 'node:fs'
import http from 'node:http'
import soap from 'soap'

const [port, upstream, wsdl, authcode] = process.argv.slice(2)
const agent = new http.Agent({ keepAlive: true })
const headers = { authcode: readFileSync(authcode, 'ascii').trim() }

function fetchScores(query) {
  return new Promise((resolve, reject) => {
    const request = http.get(`${upstream}?${new URLSearchParams(query)}`, { agent, headers }, (response) => {
      const chunks = []
      response.on('data', (chunk) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        if (response.statusCode === 200) resolve(Buffer.concat(chunks))
        else reject(new Error(`upstream answered ${response.statusCode}`))
      })
    })
    request.on('error', reject)
  })
}

// node-soap makes Date objects of xs:dateTime; the REST API has neither milliseconds nor a zone.
const text = (moment) => new Date(moment).toISOString().slice(0, 19)

async function GetScores({ request }) {
  const scores = await fetchScores({
    startdate: text(request.StartDate),
    enddate: text(request.EndDate),
    type: request.Type,
    reportby: request.ReportBy
  })
  return { GetScoresResult: scores.toString('base64') }
}

const server = http.createServer()
server.keepAliveTimeout = 75_000
server.listen(Number(port), '127.0.0.1', 4096, () => {
  soap.listen(server, {
    path: '/TOEFLWebService/TOEFLEdm.asmx',
    services: { TOEFLEdm: { TOEFLEdmSoap: { GetScores }, TOEFLEdmSoap12: { GetScores } } },
    xml: readFileSync(wsdl, 'utf8')
  })
})
