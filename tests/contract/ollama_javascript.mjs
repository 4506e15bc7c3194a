// Every verb of the released JavaScript client `ollama`, on the server whose address is given.
//
// It knows nothing of Metier and writes one JSON object: what each verb gave, or its error.

import process from 'node:process'
import { Ollama } from 'ollama'

const [address, pulled] = process.argv.slice(2)
const ollama = new Ollama({ host: address })
const told = {}
const messages = [{ role: 'user', content: 'hi' }]
const options = { num_predict: 12, seed: 1, temperature: 0 }
const picture = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=='
const weather = {
  type: 'function',
  function: {
    name: 'weather',
    description: 'Tell the weather.',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
}
const schema = { type: 'object', properties: { ok: { type: 'boolean' } }, required: ['ok'] }

async function take(name, promise) {
  try {
    const value = await promise
    if (value && value[Symbol.asyncIterator]) {
      const lines = []
      for await (const line of value) lines.push(line)
      told[name] = lines
    } else {
      told[name] = value
    }
  } catch (error) {
    told[name] = { error: error.error ?? error.message, status: error.status_code }
  }
}

const tiny = { model: 'tiny', messages, options }
await take('chat', ollama.chat(tiny))
await take('chat stream', ollama.chat({ ...tiny, stream: true }))
await take('chat tools', ollama.chat({ ...tiny, tools: [weather] }))
await take('chat schema', ollama.chat({ ...tiny, format: schema, options: { num_predict: 60 } }))
await take('chat images', ollama.chat({ model: 'tiny', messages: [{ role: 'user', content: 'x', images: [picture] }] }))
await take('chat unknown', ollama.chat({ ...tiny, model: 'none' }))
await take('generate', ollama.generate({ model: 'tiny', prompt: 'Once', options }))
await take('generate stream', ollama.generate({ model: 'tiny', prompt: 'Once', stream: true, options }))
await take('ps', ollama.ps())
await take('embed', ollama.embed({ model: 'team/words:v1', input: ['a', 'b'] }))
await take('embeddings', ollama.embeddings({ model: 'team/words:v1', prompt: 'a' }))
await take('list', ollama.list())
await take('show', ollama.show({ model: 'tiny' }))
await take('version', ollama.version())
await take('create', ollama.create({ model: 'ours', from: 'tiny', template: '{{ .Prompt }}', stream: true }))
await take('think unable', ollama.chat({ model: 'ours', messages, think: true }))
await take('copy', ollama.copy({ source: 'ours', destination: 'ours:2' }))
await take('delete', ollama.delete({ model: 'ours:2' }))
await take('pull', ollama.pull({ model: pulled, stream: true }))
await take('push', ollama.push({ model: 'tiny' }))
process.stdout.write(JSON.stringify(told))
