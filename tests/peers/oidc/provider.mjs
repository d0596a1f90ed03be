// An OpenID provider with made-up people, who sign in by a click on their name. One line of JSON on standard input is what
// it knows: {"port", "client": {"client_id", "client_secret", "redirect_uris"}, "people": {NAME: claims}, "inIdToken"}.
// With `inIdToken` the claims stand in the ID token; without, UserInfo has them (OpenID Connect Core 1.0, section 5.4).
import { createInterface } from "node:readline";
import { Provider } from "oidc-provider";

const { value: line } = await createInterface({ input: process.stdin })[Symbol.asyncIterator]().next();
const { port, client, people, inIdToken } = JSON.parse(line);

async function granted(ctx) {
  const { client: asking, session, params } = ctx.oidc;
  const grant = new ctx.oidc.provider.Grant({ clientId: asking.clientId, accountId: session.accountId });
  grant.addOIDCScope(params.scope);
  await grant.save();
  return grant;
}

const provider = new Provider(`http://localhost:${port}`, {
  clients: [client],
  claims: { openid: ["sub"], phone: ["phone_number", "phone_number_verified"], groups: ["groups"] },
  conformIdTokenClaims: !inIdToken,
  cookies: { keys: ["for tests only"] },
  features: { devInteractions: { enabled: false } },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...people[id] }) }),
  interactions: { url: (_, interaction) => `/people/${interaction.uid}` },
  loadExistingGrant: granted,
});

provider.use(async (ctx, next) => {
  if (!ctx.path.startsWith("/people/")) return next();
  await provider.interactionDetails(ctx.req, ctx.res);
  const { as } = ctx.query;
  if (as === undefined) {
    ctx.type = "html";
    ctx.body = `<title>Sign in</title><link rel="icon" href="data:,">${Object.keys(people).map((one) => `<p><a href="?as=${one}">${one}</a></p>`).join("")}
      <p><a href="?as=">no</a></p>`;
  } else {
    const answer = as ? { login: { accountId: as } } : { error: "access_denied", error_description: "the person said no" };
    await provider.interactionFinished(ctx.req, ctx.res, answer);
  }
});
provider.listen(port, "127.0.0.1");
