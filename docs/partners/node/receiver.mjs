// A partner in Node: takes Huanxin's events (RFC 8935), verifies them, fetches the numbers of a notice, cuts what was bound
// before the cut-off, and files the receipt. `npm install jose`, set the settings, put your database into `cut`, run it.
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { createRemoteJWKSet, errors, jwtVerify } from "jose";

const { HUANXIN_ISSUER: issuer, CLIENT_ID: id, CLIENT_SECRET: secret, AUTHORIZATION: shown, PORT = "8700" } = process.env;
const keys = createRemoteJWKSet(new URL(`${issuer}/jwks.json`), { cacheMaxAge: 300_000 }); // as long as its Cache-Control says
const seen = new Set(); // your database: an event may come twice, with the same jti
const RENEWAL = "urn:huanxin:event:renewal";

// Your part: cut what was bound before `cutoff` (milliseconds), never what was bound at it or after; say what became of it.
async function* cut(numbers, cutoff) {
  for (const number of numbers) {
    const boundAt = Date.parse("2020-01-01T00:00:00Z"); // look it up; without an account the outcome is "absent"
    yield [number, boundAt < cutoff ? "unbound" : "kept"];
  }
}

class Refused extends Error {
  constructor(err, description) { super(description); this.err = err; }
}

async function verified(token) {
  try {
    const { payload } = await jwtVerify(token, keys, { issuer, audience: id, typ: "secevent+jwt", algorithms: ["ES256"] });
    return payload;
  } catch (error) {
    const byClaim = { iss: "invalid_issuer", aud: "invalid_audience" }[error.claim];
    const badKey = error instanceof errors.JWSSignatureVerificationFailed || error instanceof errors.JWKSNoMatchingKey;
    if (!(error instanceof errors.JOSEError)) throw error; // the keys could not be fetched: 500, and the event comes again
    throw new Refused(byClaim ?? (badKey ? "invalid_key" : "invalid_request"), error.message);
  }
}

async function token() {
  const answer = await fetch(`${issuer}/oauth/token`, {
    method: "POST",
    headers: { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString("base64")}` },
    body: new URLSearchParams({ grant_type: "client_credentials", scope: "notices receipts" }),
  });
  if (!answer.ok) throw new Error(`no token: ${await answer.text()}`);
  return (await answer.json()).access_token;
}

async function answer(notice, cutoff, file) {
  if (!file.url.startsWith(`${issuer}/`)) throw new Error("the numbers are elsewhere: the token does not go there");
  const authorization = `Bearer ${await token()}`;
  const got = await fetch(file.url, { headers: { authorization, accept: "text/csv" } });
  const content = Buffer.from(await got.arrayBuffer());
  const sha256 = createHash("sha256").update(content).digest("hex");
  if (!got.ok || sha256 !== file.sha256["text/csv"]) throw new Error("the numbers did not arrive whole");
  const numbers = content.toString().trim().split("\n").slice(1);
  const lines = ["number,outcome,reason,until"];
  for await (const [number, outcome] of cut(numbers, cutoff)) lines.push(`${number},${outcome},,`);
  const filed = await fetch(`${issuer}/partner/v1/notices/${notice}/receipts?complete=true`, {
    method: "POST", headers: { authorization, "content-type": "text/csv" }, body: `${lines.join("\n")}\n`,
  });
  console.log(`receipt of ${notice}: ${filed.status} ${await filed.text()}`);
  if (!filed.ok) throw new Error("the receipt was not taken");
}

async function take(request, response) {
  try {
    if (shown && request.headers.authorization !== shown) {
      throw new Refused("authentication_failed", "wrong Authorization header");
    }
    const chunks = [];
    for await (const chunk of request) {
      if (chunks.push(chunk) > 1000) throw new Refused("invalid_request", "the event is too long");
    }
    const event = await verified(Buffer.concat(chunks).toString());
    if (!seen.has(event.jti)) {
      const renewal = event.events[RENEWAL];
      // Retractions (numbers to restore) are answered in the same way, with other outcomes. With many numbers note the event
      // in your database, answer 202, and work on it afterwards.
      if (renewal?.numbers) await answer(renewal.notice, Date.parse(renewal.cutoff), renewal.numbers);
      seen.add(event.jti);
    }
    response.writeHead(202).end();
  } catch (error) {
    const refused = error instanceof Refused;
    response.writeHead(refused ? 400 : 500, { "content-type": "application/json", "content-language": "en" });
    response.end(JSON.stringify({ err: refused ? error.err : "server_error", description: error.message }));
  }
}

const server = createServer(take);
server.listen(Number(PORT), "127.0.0.1", () => console.log(`listening on ${server.address().port}`));
