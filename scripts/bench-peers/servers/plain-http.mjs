/** What node:http does when there is nothing to decide: PORT FOLDER. */
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'

const [, , port, folder] = process.argv
const page = readFileSync(join(folder, 'index.html'))
const PAGE = { 'Content-Type': 'text/html', 'Cache-Control': 'no-cache', 'Content-Length': page.length }

const server = createServer((request, response) => {
  if (request.url === '/heartbeat') {
    response.writeHead(204, { 'X-Active-Users': '1', 'Cache-Control': 'no-store' }).end()
  } else if (request.url.startsWith('/away')) {
    response.writeHead(302, {
      Location: `http://127.0.0.1:8000${request.url}`, 'Cache-Control': 'no-store', 'Content-Length': 0
    }).end()
  } else {
    response.writeHead(200, PAGE).end(page)
  }
})
server.keepAliveTimeout = 75_000
server.listen({ port: Number(port), host: '127.0.0.1', backlog: 4096 })
