/** What the server said when it refused, in words for people. */
export class Refusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** One request to the API, sent once. Throws a {@link Refusal}, with the status 0 where nobody answers. */
export async function send(method: string, path: string, body?: unknown): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      ...(body === undefined ? {} : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
    });
  } catch {
    throw new Refusal(0, "The bridge does not answer. Is it running, and is the network there?");
  }
  const text = await response.text();
  const value: unknown = text === "" ? undefined : JSON.parse(text);
  if (response.ok) return value;
  const error = (value as { error?: string } | undefined)?.error;
  throw new Refusal(response.status, error ?? `The bridge answered ${response.status}.`);
}
