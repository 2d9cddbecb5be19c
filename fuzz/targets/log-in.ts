import { isDeepStrictEqual } from "node:util";
import type { Accounts } from "../../auth/accounts.ts";
import { parseAuthValues } from "../../auth/scheme/digest.ts";
import { ChallengeAnswerer, HttpAuthenticator } from "../../auth/scheme/http.ts";
import { UsernameTokenVerifier } from "../../auth/scheme/usernametoken.ts";
import { Throttle } from "../../auth/throttle.ts";
import { UnauthenticatedFault } from "../../auth/unauthenticated.ts";
import { systemClock } from "../../base/clock.ts";
import { Secret } from "../../base/secret.ts";
import { printRequest } from "../../rtsp/wire/print.ts";
import { holds, type Target, target } from "../target.ts";

const SECRET = new Secret("kept to ourselves");
const PRINCIPAL = {
  accountId: "1",
  name: "vms",
  kind: "integration",
  grants: [],
  now: () => systemClock.now(),
  revoked: new AbortController().signal,
};
const PEER = { address: "10.1.2.3", port: 50_000, tls: true };
const WORDS =
  "Digest Basic Bearer username= username*=UTF-8'' realm= nonce= uri= response= algorithm= MD5 SHA-256 MD5-sess qop= auth nc=00000001 cnonce= opaque= stale=true \" , = \\ dm1zOng= Viaduct";

/** One account, with a secret that nobody says. */
const accounts = {
  integrationSecrets: () => [{ secret: SECRET, principal: PRINCIPAL, used: () => undefined }],
  checkPassword: (_name: string, password: Secret) =>
    password.equals(SECRET.reveal())
      ? Promise.resolve(PRINCIPAL)
      : Promise.reject(new UnauthenticatedFault("wrong name or password")),
} as unknown as Accounts;

export const TARGETS: readonly Target[] = [
  target({
    name: "authorization",
    words: WORDS,
    refusals: ["invalid", "unauthenticated"],
    async run(input) {
      const throttle = new Throttle(systemClock);
      const guard = new HttpAuthenticator({ accounts, clock: systemClock, realm: "Viaduct", door: "rtsp", throttle });
      const authorization = input.toString("latin1").trim();
      await guard.verify({ method: "PLAY", uri: "rtsp://h/live/1", authorization, peer: PEER });
      throw new Error("somebody got in without the secret");
    },
  }),
  target({
    name: "challenge",
    words: WORDS,
    run(input) {
      const answerer = new ChallengeAnswerer({ user: 'a "user"', password: SECRET });
      const lines = input.toString("latin1").split("\n");
      if (!answerer.challenged(lines.map((line) => line.trim()))) return;
      const authorization = answerer.authorize("DESCRIBE", "rtsp://h/a") ?? "";
      printRequest({ method: "DESCRIBE", uri: "rtsp://h/a", headers: [["Authorization", authorization]] });
      const [read, ...more] = parseAuthValues(authorization);
      // What a camera makes too long to be read is its own affair.
      if (authorization.length > 4096) return;
      holds(read !== undefined && more.length === 0 && !read.malformed, "what is answered is well-formed");
      holds(read.scheme === "digest" && !authorization.includes(SECRET.reveal()), "the password is not shown");
      holds(isDeepStrictEqual(read.params.get("username"), 'a "user"'), "it is ours");
      holds(!answerer.challenged(lines) || /stale/i.test(lines.join()), "a second challenge is a refusal");
    },
  }),
  target({
    name: "username-token",
    words: "2026-11-24T10:00:00Z .123 +01:00 AAECAwQFBgcICQoLDA0ODw== digest text",
    refusals: ["unauthenticated", "invalid"],
    async run(input) {
      const [username = "", password = "", nonce = "", created = "", type] = input.toString("utf8").split("\n");
      const throttle = new Throttle(systemClock);
      const verifier = new UsernameTokenVerifier({ accounts, clock: systemClock, throttle });
      const token = { username, password, nonce, created, type: type === "text" ? "text" : "digest" } as const;
      await verifier.verify(token, PEER);
      throw new Error("somebody got in without the secret");
    },
  }),
];
