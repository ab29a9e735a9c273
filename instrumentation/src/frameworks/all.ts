import { express } from './express.ts';
import { fastify } from './fastify.ts';
import type { Framework } from './framework.ts';
import { hapi } from './hapi.ts';
import { hono } from './hono.ts';
import { koa } from './koa.ts';

/** The supported frameworks; Nest runs on Express or Fastify. Plain node:http has no routes. */
export const frameworks: readonly Framework[] = [express, fastify, koa, hapi, hono];
