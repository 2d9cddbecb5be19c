import { expect } from "chai";
import { Fault } from "../../base/fault.ts";
import { Secret } from "../../base/secret.ts";
import { logIn } from "../../keys/token/log-in.ts";
import type { TokenSession } from "../../keys/token/session.ts";

/** PKCS#11 2.40 3.2, token information flags. */
const FLAGS = {
  CKF_LOGIN_REQUIRED: 0x4,
  CKF_USER_PIN_INITIALIZED: 0x8,
  CKF_USER_PIN_COUNT_LOW: 0x1_0000,
  CKF_USER_PIN_FINAL_TRY: 0x2_0000,
  CKF_USER_PIN_LOCKED: 0x4_0000,
};
const READY = FLAGS.CKF_LOGIN_REQUIRED | FLAGS.CKF_USER_PIN_INITIALIZED;

class Pkcs11Error extends Error {
  readonly code: number;
  constructor(code: number) {
    super("CKR");
    this.code = code;
  }
}

interface Case {
  readonly flags: number;
  /** What the token answers to the PIN; 0 takes it. */
  readonly answer?: number;
  readonly refusedBefore?: boolean;
  readonly tryPin?: boolean;
  readonly isDiskFull?: boolean;
}

/** How a log-in ends, how often the token was asked, and whether a refusal is remembered after it. */
async function tried({ flags, answer = 0, refusedBefore = false, tryPin = false, isDiskFull = false }: Case) {
  let [asked, remembered] = [0, refusedBefore];
  const rememberedAmid: boolean[] = [];
  const session = {
    token: {
      C_GetTokenInfo: () => ({ flags }),
      C_Login() {
        asked += 1;
        rememberedAmid.push(remembered);
        if (answer !== 0) throw new Pkcs11Error(answer);
      },
    },
    library: { ...FLAGS, CKU_USER: 1, Pkcs11Error },
    place: {
      name: "site",
      tryPin,
      pin: async () => new Secret("1234"),
      refusals: {
        some: async () => remembered,
        async remember() {
          if (isDiskFull) throw new Error("the disk is full");
          remembered = true;
        },
        async forget() {
          remembered = false;
        },
      },
    },
  };
  const ended = await logIn(session as unknown as TokenSession).then(
    () => "in",
    (error: unknown) => (error instanceof Fault ? (error.tell ?? "") : (error as Error).message),
  );
  expect(ended).not.to.include("1234");
  // Where the process dies amid the try, the next one knows of it.
  expect(rememberedAmid).to.deep.equal(Array(asked).fill(true));
  return { ended, asked, remembered };
}

describe("the log-in to a token", () => {
  const { CKF_USER_PIN_COUNT_LOW: LOW, CKF_USER_PIN_FINAL_TRY: LAST, CKF_USER_PIN_LOCKED: LOCKED } = FLAGS;
  const rows: readonly [name: string, given: Case, ended: RegExp, asked: number, remembered: boolean][] = [
    ["takes the right PIN", { flags: READY }, /^in$/, 1, false],
    ["gives none where the token wants none", { flags: 0 }, /^in$/, 0, false],
    ["says that there is no PIN yet", { flags: FLAGS.CKF_LOGIN_REQUIRED }, /no user PIN yet/, 0, false],
    ["remembers a wrong PIN", { flags: READY, answer: 0xa0 }, /refuses the PIN/, 1, true],
    ["remembers a PIN of the wrong form", { flags: READY, answer: 0xa1 }, /refuses the PIN/, 1, true],
    ["remembers a PIN of the wrong length", { flags: READY, answer: 0xa2 }, /refuses the PIN/, 1, true],
    ["tries none after one was refused", { flags: READY, refusedBefore: true }, /wrong PIN before/, 0, true],
    [
      "tries none where a refusal could not be remembered",
      { flags: READY, isDiskFull: true },
      /disk is full/,
      0,
      false,
    ],
    [
      "does not forget a refusal by what is none",
      { flags: READY, answer: 0x30, refusedBefore: true, tryPin: true },
      /^CKR$/,
      1,
      true,
    ],
    ["tries none where the token has refused one", { flags: READY | LOW }, /wrong PIN before/, 0, false],
    ["tries again when told to", { flags: READY | LOW, refusedBefore: true, tryPin: true }, /^in$/, 1, false],
    ["never takes the last try", { flags: READY | LOW | LAST, tryPin: true }, /locks token site/, 0, false],
    ["says that the token is locked", { flags: READY | LOCKED, tryPin: true }, /is locked/, 0, false],
    ["says that it is locked now", { flags: READY, answer: 0xa4 }, /is locked/, 1, false],
    ["says that the PIN has expired", { flags: READY, answer: 0xa3 }, /has expired/, 1, false],
    ["does not take a broken token for a wrong PIN", { flags: READY, answer: 0x30 }, /^CKR$/, 1, false],
  ];
  for (const [name, given, ended, asked, remembered] of rows)
    it(name, async () => {
      const found = await tried(given);
      expect(found).to.include({ asked, remembered });
      expect(found.ended).to.match(ended);
    });
});
