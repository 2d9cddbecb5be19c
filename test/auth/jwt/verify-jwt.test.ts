import { expect } from "chai";
import { IssuerKeys } from "../../../auth/jwt/issuer-keys.ts";
import { RefusedJwt } from "../../../auth/jwt/refused-jwt.ts";
import { type JwtRules, verifyJwt } from "../../../auth/jwt/verify-jwt.ts";
import { silentLog } from "../../../base/log.ts";
import { DAY, SECOND } from "../../../base/units.ts";
import { testIssuer } from "../../support/jwt-issuer.ts";
import { VirtualClock } from "../../support/virtual-clock.ts";

const ISSUER = "https://id.example/realms/site";
const RULES: JwtRules = {
  issuer: ISSUER,
  audiences: ["viaduct"],
  algorithms: ["ES256"],
  toleranceMs: 30 * SECOND,
  notBefore: "required",
  longestMs: DAY,
};

describe("a JWT that is verified by itself", () => {
  const clock = new VirtualClock();
  const nowSeconds = clock.now() / SECOND;
  const issuer = testIssuer(ISSUER, () => nowSeconds);

  for (const [name, claims, why] of [
    ["is good up to its last second", { exp: nowSeconds + 1 }, "taken"],
    [
      "is not good in the second in which it expires, though the clocks may differ by more",
      { exp: nowSeconds },
      /it has expired at/,
    ],
    [
      "is not good within what the clocks may differ by after it expired",
      { exp: nowSeconds - 29 },
      /it has expired at/,
    ],
    ["may begin within what the clocks may differ by", { nbf: nowSeconds + 30 }, "taken"],
    ["is not good before that", { nbf: nowSeconds + 31 }, /it is not good yet/],
  ] as const)
    it(name, async () => {
      const keys = new IssuerKeys({
        issuer: "site",
        load: () => Promise.resolve(issuer.keySet()),
        clock,
        log: silentLog(),
      });
      const said = await verifyJwt(issuer.token(claims), RULES, keys, clock.now())
        .then(
          () => "taken",
          (error: unknown) => (error instanceof RefusedJwt ? error.detail : error),
        )
        .finally(() => keys.close());
      if (typeof why === "string") expect(said).to.equal(why);
      else expect(said).to.match(why);
    });
});
