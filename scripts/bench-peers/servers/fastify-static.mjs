/**
 * @fastify/static: PORT FOLDER. `wildcard: false` finds the files at the start and makes a route
 * for each; no logger, which is the default.
 */
import fastify from 'fastify'
import fastifyStatic from '@fastify/static'

const [, , port, root] = process.argv
const app = fastify()
await app.register(fastifyStatic, { root, wildcard: false })
await app.listen({ port: Number(port), host: '127.0.0.1' })
