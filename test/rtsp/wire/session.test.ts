import * as fc from "fast-check";
import { parseSession, printSession } from "../../../rtsp/wire/session.ts";
import { testHeader } from "../../support/header-table.ts";

describe("a Session header", () => {
  testHeader({
    rows: [
      ["an id alone", "12345678", "12345678", { id: "12345678" }],
      ["with a timeout", "a1;timeout=60", "a1;timeout=60", { id: "a1", timeoutSeconds: 60 }],
      ["with blanks", " a1 ; timeout = 60 ", "a1;timeout=60", { id: "a1", timeoutSeconds: 60 }],
      ["in other letters", "a1;Timeout=60", "a1;timeout=60", { id: "a1", timeoutSeconds: 60 }],
      ["with other parameters", "a1;x=1;timeout=5", "a1;timeout=5", { id: "a1", timeoutSeconds: 5 }],
      ["with a timeout that is none", "a1;timeout=soon", "a1", { id: "a1" }],
      ["with a timeout of too many digits", "a1;timeout=12345678", "a1", { id: "a1" }],
      ["with an id of every printable character", "!~$-_.+,/\\", "!~$-_.+,/\\", { id: "!~$-_.+,/\\" }],
      ["with an empty parameter", "a1;", "a1", { id: "a1" }],
    ],
    refused: [
      ["nothing", ""],
      ["no id", ";timeout=60"],
      ["a blank in the id", "a b"],
      ["a line break", "a\r\nb"],
      ["an id of 257 characters", "x".repeat(257)],
      ["letters beyond ASCII", "säsjön"],
    ],
    values: fc.record(
      { id: fc.stringMatching(/^[A-Za-z0-9$_.+-]{1,64}$/), timeoutSeconds: fc.nat(999_999) },
      { requiredKeys: ["id"] },
    ),
    parse: parseSession,
    print: printSession,
  });
});
