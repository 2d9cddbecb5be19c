import { createHash } from "node:crypto";

const LIMITS = {
  /** Tokens of one camera that are remembered; the oldest go first, and are learned again when they are asked for. */
  tokens: 1000,
  /** 48 bits: no two of one camera are the same, and there is room for the camera's id in a token of 64 characters. */
  hexDigits: 12,
} as const;

/**
 * Names of the bridge's own for tokens of a camera. Always the same for the same token, so that a client may keep them; what
 * the camera calls things, and with that perhaps its maker and its settings, is not in them.
 */
export class OwnTokens {
  readonly #salt: string;
  readonly #cameras = new Map<string, string>();

  /** `salt`: whose tokens, and of what. */
  constructor(salt: string) {
    this.#salt = salt;
  }

  own(token: string): string {
    const own = createHash("sha256").update(`${this.#salt}\0${token}`).digest("hex").slice(0, LIMITS.hexDigits);
    this.#cameras.delete(own);
    this.#cameras.set(own, token);
    for (const oldest of this.#cameras.keys()) {
      if (this.#cameras.size <= LIMITS.tokens) break;
      this.#cameras.delete(oldest);
    }
    return own;
  }

  learn(tokens: readonly string[]): void {
    for (const token of tokens) this.own(token);
  }

  /** The camera's own, of a token that was told before. */
  cameras(own: string): string | undefined {
    return this.#cameras.get(own);
  }
}
