import { z } from "zod";
import type { ApiOptions } from "../deps.js";
import { type Api, MIB } from "../instance.js";
import { ExternalServiceInfo } from "../schemas/service.js";
import { ApplyResult, DownRequest, Stack, StackPlan } from "../schemas/stack.js";
import { wireService } from "../to-wire.js";

const tags = ["Stacks"];
/** A stack carries its init scripts, which may be whole dumps; base64 makes 64 MiB of them 86. */
const STACK_BODY_LIMIT = 96 * MIB;

/** Whole projects, as the file doors describe them. */
export function stackRoutes(app: Api, options: ApiOptions): void {
  const { stacks } = options.control;

  app.post(
    "/stacks/plan",
    {
      bodyLimit: STACK_BODY_LIMIT,
      schema: {
        tags,
        operationId: "plan_stack",
        summary: "What applying a stack would change; changes nothing",
        body: Stack,
        response: { 200: StackPlan },
      },
    },
    async (request) => stacks.plan(request.body),
  );

  app.post(
    "/stacks/apply",
    {
      bodyLimit: STACK_BODY_LIMIT,
      schema: {
        tags,
        operationId: "apply_stack",
        summary: "Make a stack the wished-for state of its project",
        description: "Answers when the wish is stored; wait for each of the services named.",
        body: Stack,
        response: { 200: ApplyResult },
      },
    },
    async (request) => {
      const { plan, services, apps } = await stacks.apply(request.body);
      return { plan, services: services.map(wireService), apps: apps.map((app) => ({ ...app })) };
    },
  );

  app.post(
    "/stacks/:project/down",
    {
      schema: {
        tags,
        operationId: "take_stack_down",
        summary: "Stop a project's services, or remove them",
        params: z.object({ project: z.string() }),
        body: DownRequest,
        response: { 200: z.array(ExternalServiceInfo) },
      },
    },
    async (request) => stacks.down(request.params.project, request.body).map(wireService),
  );
}
