import type { Message } from "../../../rtsp/wire/message.ts";

export const bytesOf = (text: string): Buffer => Buffer.from(text, "latin1");
export const request = (method: string, headers: [string, string][] = [], body = "", uri = "rtsp://h/a"): Message => ({
  type: "request",
  method,
  uri,
  version: "1.0",
  headers,
  body: bytesOf(body),
});
const response = (status: number, reason: string, headers: [string, string][] = [], body = ""): Message => ({
  type: "response",
  status,
  reason,
  headers,
  body: bytesOf(body),
});
const packet = (channel: number, payload: string): Message => ({
  type: "interleaved",
  channel,
  payload: bytesOf(payload),
});

const OPTIONS = "OPTIONS rtsp://h/a RTSP/1.0\r\nCSeq: 1\r\n\r\n";
const OPTIONS_READ = request("OPTIONS", [["CSeq", "1"]]);

/** [what it is, the bytes, the messages in them]; both roles read them alike. */
export const STREAMS: readonly (readonly [string, string, readonly Message[]])[] = [
  ["a request", OPTIONS, [OPTIONS_READ]],
  ["a request for everything", "OPTIONS * RTSP/1.0\r\n\r\n", [request("OPTIONS", [], "", "*")]],
  [
    "a request of another version, which has its own answer",
    "OPTIONS rtsp://h/a RTSP/2.0\r\nCSeq: 1\r\n\r\n",
    [{ ...OPTIONS_READ, version: "2.0" } as Message],
  ],
  [
    "a request with a body",
    "SET_PARAMETER rtsp://h/a RTSP/1.0\r\nContent-Length: 3\r\n\r\na\r\n",
    [request("SET_PARAMETER", [["Content-Length", "3"]], "a\r\n")],
  ],
  ["a response", "RTSP/1.0 200 OK\r\nCSeq: 7\r\n\r\n", [response(200, "OK", [["CSeq", "7"]])]],
  ["a response without a reason", "RTSP/1.0 404\r\n\r\n", [response(404, "")]],
  [
    "a response with a body that looks like messages",
    "RTSP/1.0 200 OK\r\nContent-Length: 27\r\n\r\n$\0\0\x01xRTSP/1.0 200 OK\r\n\r\nab$",
    [response(200, "OK", [["Content-Length", "27"]], "$\0\0\x01xRTSP/1.0 200 OK\r\n\r\nab$")],
  ],
  ["a packet", "$\x02\0\x05RTSP/", [packet(2, "RTSP/")]],
  ["an empty packet", "$\x02\0\0", [packet(2, "")]],
  ["packets between messages", `$\0\0\x01a${OPTIONS}$\x01\0\x02bc`, [packet(0, "a"), OPTIONS_READ, packet(1, "bc")]],
  ["requests one behind the other", OPTIONS + OPTIONS, [OPTIONS_READ, OPTIONS_READ]],
  ["blank lines before a message", `\r\n\r\n${OPTIONS}\r\n${OPTIONS}`, [OPTIONS_READ, OPTIONS_READ]],
  [
    "headers with no, one and many blanks, and an empty one",
    "RTSP/1.0 200 OK\r\nA:1\r\nB: 2\r\nC: \t 3 \t\r\nD:\r\na: 4:5\r\n\r\n",
    [
      response(200, "OK", [
        ["A", "1"],
        ["B", "2"],
        ["C", "3"],
        ["D", ""],
        ["a", "4:5"],
      ]),
    ],
  ],
  [
    "letters beyond ASCII, as they are",
    "RTSP/1.0 200 OK\r\nServer: \xe9\xff\r\n\r\n",
    [response(200, "OK", [["Server", "\xe9\xff"]])],
  ],
];

/** What cameras do; a client reads it, a server refuses it. */
export const TOLERATED: readonly (readonly [string, string, readonly Message[]])[] = [
  ["lines that end with LF alone", "RTSP/1.0 200 OK\nCSeq: 1\n\n", [response(200, "OK", [["CSeq", "1"]])]],
  [
    "a folded header",
    "RTSP/1.0 200 OK\r\nPublic: OPTIONS,\r\n\t PLAY\r\n\r\n",
    [response(200, "OK", [["Public", "OPTIONS, PLAY"]])],
  ],
  [
    "a header line without a name",
    "RTSP/1.0 200 OK\r\nnonsense\r\n: x\r\nCSeq: 1\r\n\r\n",
    [response(200, "OK", [["CSeq", "1"]])],
  ],
  ["a blank before the colon", "RTSP/1.0 200 OK\r\nCSeq : 1\r\n\r\n", [response(200, "OK", [["CSeq", "1"]])]],
  ["a control character", "RTSP/1.0 200 OK\r\nServer: a\x01\r\n\r\n", [response(200, "OK", [["Server", "a\x01"]])]],
  ["rubbish between messages", `$\0\0\x01aRTXrubbish\r\n${OPTIONS}`, [packet(0, "a"), OPTIONS_READ]],
  ["rubbish that begins as a message does", `RTSRTS/GET_X${OPTIONS}`, [OPTIONS_READ]],
  ["blank lines amid rubbish", `rubbish\r\n\r\n\r\nrubbish rubbish${"\r\n".repeat(12)}${OPTIONS}`, [OPTIONS_READ]],
  ["a packet on a channel that nobody has set up", `$\x09\0\x02xx${OPTIONS}`, [OPTIONS_READ]],
  ["a dollar alone", `$$\0\0\x01a`, [packet(0, "a")]],
];

/** [why, the bytes]: what neither role reads. */
export const BROKEN: readonly (readonly [string, string])[] = [
  ["two lengths", "SET_PARAMETER * RTSP/1.0\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\nhello"],
  ["the same length twice", "SET_PARAMETER * RTSP/1.0\r\nContent-Length: 5\r\ncontent-length: 5\r\n\r\nhello"],
  ["two lengths in one line", "SET_PARAMETER * RTSP/1.0\r\nContent-Length: 5, 5\r\n\r\nhello"],
  ["two sequence numbers", "OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nCSeq: 2\r\n\r\n"],
  ["a negative length", "SET_PARAMETER * RTSP/1.0\r\nContent-Length: -1\r\n\r\n"],
  ["a length with a sign", "SET_PARAMETER * RTSP/1.0\r\nContent-Length: +5\r\n\r\nhello"],
  ["a length in other digits", "SET_PARAMETER * RTSP/1.0\r\nContent-Length: 0x5\r\n\r\nhello"],
  ["an empty length", "SET_PARAMETER * RTSP/1.0\r\nContent-Length:\r\n\r\n"],
  ["a body that is too long", "SET_PARAMETER * RTSP/1.0\r\nContent-Length: 131073\r\n\r\n"],
  ["NUL in a header", "OPTIONS * RTSP/1.0\r\nX: a\0b\r\n\r\n"],
  ["NUL in the start line", "OPTIONS * RTSP/1.0\0\r\n\r\n"],
  ["CR in a header", "OPTIONS * RTSP/1.0\r\nX: a\rY: b\r\n\r\n"],
  ["a folded line with nothing to go on with", "OPTIONS * RTSP/1.0\r\n x: 1\r\n\r\n"],
  ["no version", "OPTIONS *\r\n\r\n"],
  ["no address", "OPTIONS RTSP/1.0\r\n\r\n"],
  ["two blanks", "OPTIONS  * RTSP/1.0\r\n\r\n"],
  ["a version that is none", "OPTIONS * RTSP/one\r\n\r\n"],
  ["a status that is none", "RTSP/1.0 600 Strange\r\n\r\n"],
];

/** What only a server refuses, besides what a client tolerates. */
export const FOR_CLIENTS_ONLY: readonly (readonly [string, string])[] = [
  ["HTTP", "GET / HTTP/1.1\r\n\r\n"],
  ["a method in small letters", "options * RTSP/1.0\r\n\r\n"],
  ["a body that is too long for a client's", "SET_PARAMETER * RTSP/1.0\r\nContent-Length: 65537\r\n\r\n"],
  ["a body in pieces", "SET_PARAMETER * RTSP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
  ["more than sixteen bytes of blank lines", "\r\n".repeat(9)],
  ["TLS", "\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\r\n\r\n"],
];

/** What is refused for its size, before it is complete. */
export const ENDLESS: readonly (readonly [string, string])[] = [
  ["a line", `OPTIONS rtsp://${"x".repeat(8300)}`],
  ["a header", `OPTIONS * RTSP/1.0\r\nX: ${"x".repeat(8300)}`],
  ["a head of long lines", `OPTIONS * RTSP/1.0\r\n${`X: ${"x".repeat(8000)}\r\n`.repeat(5)}`],
  ["a head of many lines", `OPTIONS * RTSP/1.0\r\n${"X: 1\r\n".repeat(66)}`],
];
