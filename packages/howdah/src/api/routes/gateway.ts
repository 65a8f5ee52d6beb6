import { z } from "zod";
import type { ApiOptions } from "../deps.js";
import type { Api } from "../instance.js";
import { Certificate, Gateway, UseCertificateRequest } from "../schemas/installation.js";
import { Connection } from "../schemas/service.js";
import { wireCertificate, wireConnection, wireGateway } from "../to-wire.js";
import { requireTrusted } from "../transport-guard.js";

const PEM_TYPE = "application/x-pem-file";

/** Who is connected, by what process and under which certificate. */
export function gatewayRoutes(app: Api, { control }: ApiOptions): void {
  app.get(
    "/connections",
    {
      schema: {
        tags: ["Connections"],
        operationId: "list_connections",
        summary: "Who is connected to any service, or waits for one",
        response: { 200: z.array(Connection) },
      },
    },
    async () => (await control.connections()).map(wireConnection),
  );

  app.post(
    "/server/gateway/restart",
    {
      schema: {
        tags: ["Server"],
        operationId: "restart_gateway",
        summary: "Hand the endpoints over to a new gateway process",
        description: "No connection is touched: the old process serves what it has, and ends with the last of it.",
        response: { 200: Gateway },
      },
    },
    async () => wireGateway(await control.gateway.restart()),
  );

  app.get(
    "/server/ca",
    {
      schema: {
        tags: ["Server"],
        operationId: "get_certificate_authority",
        summary: "The installation's own authority, for clients' sslrootcert",
        response: { 200: { description: "PEM", content: { [PEM_TYPE]: { schema: z.string() } } } },
      },
    },
    async (_request, reply) => reply.type(PEM_TYPE).send(await control.certificates.authority()),
  );

  app.get(
    "/server/certificate",
    {
      schema: {
        tags: ["Server"],
        operationId: "get_certificate",
        summary: "What endpoints with TLS present",
        response: { 200: Certificate },
      },
    },
    async () => wireCertificate(await control.certificates.present()),
  );

  app.put(
    "/server/certificate",
    {
      schema: {
        tags: ["Server"],
        operationId: "use_certificate",
        summary: "Present a certificate of your own",
        body: UseCertificateRequest,
        response: { 200: Certificate },
      },
    },
    async (request) => {
      // The body holds a private key, and the other way in is not encrypted.
      requireTrusted(request.raw, "a private key");
      return wireCertificate(await control.certificates.use(request.body));
    },
  );

  app.delete(
    "/server/certificate",
    {
      schema: {
        tags: ["Server"],
        operationId: "reset_certificate",
        summary: "Present the certificate that the installation issues",
        response: { 200: Certificate },
      },
    },
    async () => wireCertificate(await control.certificates.reset()),
  );
}
