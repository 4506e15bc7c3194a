// What openai (npm), ai with its two providers, and ollama (npm) hear from "auto": run from the
// folder that holds node_modules, with the address as argument.
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, streamText } from "ai";
import { Ollama } from "ollama";
import { createOllama } from "ollama-ai-provider-v2";
import OpenAI from "openai";

const address = process.argv.at(-1);
const client = new OpenAI({ baseURL: `${address}/v1`, apiKey: "any", maxRetries: 0 });
const compatible = createOpenAICompatible({
  name: "metier", baseURL: `${address}/v1`, apiKey: "any", includeUsage: true,
});
const provider = createOllama({ baseURL: `${address}/api` });
const local = new Ollama({ host: address });
const ofPython = "Write a python function add_n0(a, b).";
const elsewhere = "What should I cook with leftover rice and two eggs?";
const asked = (text) => ({
  model: "auto", max_tokens: 400, temperature: 0, messages: [{ role: "user", content: text }],
});

const verbs = {
  async openaiChat() {
    const { data, response } = await client.chat.completions.create(asked(ofPython)).withResponse();
    return { model: data.model, metier: data.metier, header: response.headers.get("x-metier-model") };
  },
  async openaiStream() {
    const chunks = [];
    for await (const chunk of await client.chat.completions.create({
      ...asked(ofPython), stream: true,
    })) chunks.push(chunk);
    return {
      text: chunks.map((chunk) => chunk.choices[0]?.delta?.content ?? "").join(""),
      models: [...new Set(chunks.map((chunk) => chunk.model))],
      route: chunks.map((chunk) => chunk.metier?.route?.model).filter(Boolean),
    };
  },
  async aiText() {
    const made = await generateText({
      model: compatible("auto"), prompt: ofPython, temperature: 0, maxOutputTokens: 400,
    });
    return {
      text: made.text, model: made.response.modelId, finish: made.finishReason,
      header: made.response.headers["x-metier-model"],
    };
  },
  async aiStream() {
    const made = streamText({
      model: compatible("auto"), prompt: elsewhere, temperature: 0, maxOutputTokens: 6,
    });
    for await (const part of made.fullStream) if (part.type === "error") throw part.error;
    return { text: await made.text, usage: await made.usage, model: (await made.response).modelId };
  },
  async aiByOllama() {
    const made = await generateText({
      model: provider("auto"), prompt: elsewhere, temperature: 0, maxOutputTokens: 6,
    });
    return { text: made.text, header: made.response.headers["x-metier-model"] };
  },
  async ollamaChat() {
    const made = await local.chat({
      model: "auto", messages: asked(ofPython).messages, options: { temperature: 0 },
    });
    return { model: made.model, text: made.message.content, metier: made.metier };
  },
  async ollamaStream() {
    const lines = [];
    for await (const line of await local.chat({
      model: "auto", messages: asked(elsewhere).messages, stream: true,
      options: { num_predict: 6, temperature: 0 },
    })) lines.push(line);
    return { done: lines.at(-1).done, route: lines.at(-1).metier.route.model, lines: lines.length };
  },
  async unknownDomain() {
    return client.chat.completions.create({ ...asked(elsewhere), model: "auto:cooking" });
  },
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
