// Verifies Security Event Tokens as a partner would. Arguments: JWKS_URI ISSUER AUDIENCE; a token a line on standard input.
// Prints one JSON line for each: its header and claims, or why it is refused.
import { createInterface } from "node:readline";
import { createRemoteJWKSet, jwtVerify } from "jose";

const [jwksUri, issuer, audience] = process.argv.slice(2);
const keys = createRemoteJWKSet(new URL(jwksUri));

for await (const token of createInterface({ input: process.stdin })) {
  try {
    const { protectedHeader, payload } = await jwtVerify(token, keys, {
      issuer, audience, typ: "secevent+jwt", algorithms: ["ES256", "RS256"],
      requiredClaims: ["iat", "jti", "events", "sub_id", "txn"],
    });
    for (const name of ["sub", "exp"]) if (name in payload) throw new Error(`${name} must not be there`);
    if (Object.keys(payload.events).length !== 1) throw new Error("not one event");
    console.log(JSON.stringify({ header: protectedHeader, claims: payload }));
  } catch (error) {
    console.log(JSON.stringify({ refused: error.code ?? error.message }));
  }
}
