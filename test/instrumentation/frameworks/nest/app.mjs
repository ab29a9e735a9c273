import 'reflect-metadata';
import {
  Controller,
  Get,
  HttpCode,
  HttpException,
  Module,
  Param,
  Post,
  Res,
  UseGuards,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { host, isHttp2, pause, port, slowMs } from '../listen.mjs';

const isFastify = process.env.ADAPTER === 'fastify';

class Shop {
  health() {
    return 'ok';
  }
  user(id) {
    if (id === 'none') throw new HttpException('none', 404);
    return { id };
  }
  order() {
    return 'created';
  }
  file() {
    return 'file';
  }
  checked() {
    return 'never';
  }
  boom() {
    throw new Error('boom');
  }
  async boomAsync() {
    await pause(1);
    throw new Error('boom');
  }
  async slow() {
    await pause(slowMs);
    return 'slow';
  }
  stream(reply) {
    const response = reply.raw ?? reply;
    if (reply.hijack) reply.hijack();
    response.writeHead(200);
    response.write('begin');
  }
}

class Things {
  root() {
    return 'root';
  }
  list() {
    return 'list';
  }
  thing(id) {
    return { id };
  }
}

class Org {
  member(org, id) {
    return { org, id };
  }
  boom() {
    throw new Error('boom');
  }
  x(org, team) {
    return { org, team };
  }
}

class Never {
  canActivate() {
    return false;
  }
}

/** What decorators write, without a compiler for them. */
function decorate(type, method, decorators, parameters = []) {
  const property = Object.getOwnPropertyDescriptor(type.prototype, method);
  for (const decorator of decorators) decorator(type.prototype, method, property);
  for (const [n, name] of parameters.entries()) Param(name)(type.prototype, method, n);
}

decorate(Shop, 'health', [Get('health')]);
decorate(Shop, 'user', [Get('users/:id')], ['id']);
decorate(Shop, 'order', [Post('orders'), HttpCode(201)]);
decorate(Shop, 'file', [Get(isFastify ? 'files/*' : 'files/*path')]);
decorate(Shop, 'checked', [Get('checked/:id'), UseGuards(Never)]);
decorate(Shop, 'boom', [Get('boom')]);
decorate(Shop, 'boomAsync', [Get('boom-async')]);
decorate(Shop, 'slow', [Get('slow/:id')]);
decorate(Shop, 'stream', [Get('stream/:id')]);
Res()(Shop.prototype, 'stream', 0);
Controller()(Shop);
decorate(Things, 'root', [Get()]);
decorate(Things, 'list', [Get('things')]);
decorate(Things, 'thing', [Get('things/:id')], ['id']);
Controller('v1')(Things);
decorate(Org, 'member', [Get('members/:id')], ['org', 'id']);
decorate(Org, 'boom', [Get('boom')]);
decorate(Org, 'x', [Get('teams/:team/x')], ['org', 'team']);
Controller('orgs/:org')(Org);

class App {}
Module({ controllers: [Shop, Things, Org] })(App);

const adapter = isFastify ? [new FastifyAdapter({ http2: isHttp2 })] : [];
const app = await NestFactory.create(App, ...adapter, { logger: false });
app.setGlobalPrefix('shop');
await app.listen(port, host);
