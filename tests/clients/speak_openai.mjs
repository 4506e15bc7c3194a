// The verbs of openai (npm), ai with @ai-sdk/openai-compatible and ollama-ai-provider-v2, and
// @langchain/ollama: run from the folder that holds node_modules, with the address as argument.
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { ChatOllama, OllamaEmbeddings } from "@langchain/ollama";
import { embed, generateObject, generateText, jsonSchema, streamText, tool } from "ai";
import { createOllama } from "ollama-ai-provider-v2";
import OpenAI from "openai";

const address = process.argv.at(-1);
const client = new OpenAI({ baseURL: `${address}/v1`, apiKey: "any", maxRetries: 0 });
const compatible = createOpenAICompatible({
  name: "metier", baseURL: `${address}/v1`, apiKey: "any", includeUsage: true,
  supportsStructuredOutputs: true,
});
const provider = createOllama({ baseURL: `${address}/api` });
const prompt = "What is the weather in Paris?";
const how = { model: "tiny", max_tokens: 12, temperature: 0, messages: [{ role: "user", content: prompt }] };
const city = {
  type: "object", required: ["city"], additionalProperties: false,
  properties: { city: { type: "string", enum: ["Paris", "Rome"] } },
};
const weather = { type: "function", function: { name: "weather", parameters: city } };
const tools = { weather: tool({ description: "The weather.", inputSchema: jsonSchema(city) }) };

async function collected(stream) {
  const found = [];
  for await (const one of stream) found.push(one);
  return found;
}

async function embeddings(form) {
  const made = await client.embeddings.create({
    model: "team/words:v1", input: ["one", "two"], ...form,
  });
  return made.data.map((one) => Array.from(one.embedding));
}

async function streamedBy(model) {
  const made = streamText({ model, prompt, temperature: 0, maxOutputTokens: 12 });
  const kinds = new Set();
  for await (const part of made.fullStream) {
    if (part.type === "error") throw part.error;
    kinds.add(part.type);
  }
  return {
    kinds: [...kinds], text: await made.text, usage: await made.usage,
    finish: await made.finishReason,
  };
}

async function calledBy(model) {
  const made = await generateText({
    model, prompt, tools, toolChoice: "required", temperature: 0, maxOutputTokens: 80,
  });
  return made.toolCalls.map((call) => ({ name: call.toolName, input: call.input }));
}

const objectBy = async (model) => (await generateObject({
  model, prompt, schema: jsonSchema(city), temperature: 0, maxOutputTokens: 80,
})).object;

const verbs = {
  models: async () => (await collected(client.models.list())).map((one) => one.id),
  model: () => client.models.retrieve("team/words:v1"),
  chat: () => client.chat.completions.create(how),
  stream: async () => collected(await client.chat.completions.create({
    ...how, stream: true, stream_options: { include_usage: true },
  })),
  streamHelper: async () => {
    const stream = client.chat.completions.stream({ ...how, grammar: 'root ::= "yes" | "no"' });
    return (await stream.finalChatCompletion()).choices[0].message.content;
  },
  tools: () => client.chat.completions.create({
    ...how, max_tokens: 80, tools: [weather], tool_choice: "required",
  }),
  schema: () => client.chat.completions.create({
    ...how, max_tokens: 60,
    response_format: { type: "json_schema", json_schema: { name: "c", strict: true, schema: city } },
  }),
  completion: () => client.completions.create({
    model: "tiny", prompt: "Once", max_tokens: 4, temperature: 0,
  }),
  embeddings: () => embeddings({}),
  embeddingsInNumbers: () => embeddings({ encoding_format: "float" }),
  unknown: () => client.chat.completions.create({ ...how, model: "nobody" }),
  aiText: async () => {
    const made = await generateText({ model: compatible("tiny"), prompt, temperature: 0, maxOutputTokens: 12 });
    return { text: made.text, usage: made.usage, finish: made.finishReason };
  },
  aiStream: () => streamedBy(compatible("tiny")),
  aiTools: () => calledBy(compatible("tiny")),
  aiObject: () => objectBy(compatible("tiny")),
  aiEmbedding: async () => (await embed({
    model: compatible.textEmbeddingModel("team/words:v1"), value: "one",
  })).embedding.length,
  ollamaText: async () => {
    const made = await generateText({ model: provider("tiny"), prompt, temperature: 0, maxOutputTokens: 12 });
    return { text: made.text, usage: made.usage, finish: made.finishReason };
  },
  ollamaStream: () => streamedBy(provider("tiny")),
  ollamaObject: () => objectBy(provider("tiny")),
  ollamaEmbedding: async () => (await embed({
    model: provider.textEmbeddingModel("team/words:v1"), value: "one",
  })).embedding.length,
  langchain: async () => (await new ChatOllama({
    baseUrl: address, model: "tiny", numPredict: 12, temperature: 0, checkOrPullModel: true,
  }).invoke(prompt)).content,
  langchainStream: async () => (await collected(await new ChatOllama({
    baseUrl: address, model: "tiny", numPredict: 12, temperature: 0,
  }).stream(prompt))).map((one) => one.content).join(""),
  langchainEmbedding: async () => (await new OllamaEmbeddings({
    baseUrl: address, model: "team/words:v1",
  }).embedQuery("one")).length,
};

const told = {};
for (const [name, verb] of Object.entries(verbs)) {
  try {
    told[name] = await verb();
  } catch (error) {
    told[name] = { raised: error.constructor.name, said: String(error.message), status: error.status };
  }
}
process.stdout.write(JSON.stringify(told));
