/** What the server said when it refused, in words for people. */
export class Refusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const NO_ANSWER = "The bridge does not answer. Is it running, and is the network there?";

/** One request to the API. Throws a {@link Refusal}, with the status 0 where nobody answers. */
export async function send(method: string, path: string, body?: unknown): Promise<unknown> {
  const response = await answerTo(path, {
    method,
    ...(body === undefined ? {} : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return text === "" ? undefined : JSON.parse(text);
}

/** Asks for what is answered little by little, line by line of JSON, until its end or `signal`. Throws as {@link send}. */
export async function* lines(path: string, signal: AbortSignal): AsyncGenerator {
  const response = await answerTo(path, { signal });
  const decoder = new TextDecoder();
  let rest = "";
  const reader = response.body?.getReader();
  try {
    for (;;) {
      const { done = true, value } = (await reader?.read()) ?? {};
      if (done) return;
      const all = (rest + decoder.decode(value, { stream: true })).split("\n");
      rest = all.pop() ?? "";
      for (const line of all) yield JSON.parse(line);
    }
  } catch (error) {
    throw signal.aborted ? error : new Refusal(0, NO_ANSWER);
  }
}

/** One that is not a refusal. */
async function answerTo(path: string, init: RequestInit): Promise<Response> {
  const ask = (): Promise<Response> => fetch(path, init);
  // Browsers drop what is on its way when their machine changes its network. What only reads may be asked twice.
  const mayAskAgain = init.method === undefined || init.method === "GET";
  const response = await ask()
    .catch((error: unknown) => (mayAskAgain ? ask() : Promise.reject(error)))
    .catch(() => Promise.reject(new Refusal(0, NO_ANSWER)));
  if (response.ok) return response;
  const text = await response.text();
  const error = text === "" ? undefined : (JSON.parse(text) as { error?: string }).error;
  throw new Refusal(response.status, error ?? `The bridge answered ${response.status}.`);
}
