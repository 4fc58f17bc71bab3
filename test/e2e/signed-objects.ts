/** Objects of the storage service, read and written by the vendor's own client: what jobs have in their images already. */
import { createHash } from 'node:crypto';
import type { OutgoingHttpHeaders } from 'node:http';
import { BasicCredentials } from '@huaweicloud/huaweicloud-sdk-core';
import { ClientBuilder } from '@huaweicloud/huaweicloud-sdk-core/ClientBuilder.js';
import type { HcClient, HttpRequestOptions } from '@huaweicloud/huaweicloud-sdk-core/HcClient.js';
import type { Credentials } from 'bailiwick/sdk';

export interface StorageAnswer {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  readonly bytes: Buffer;
}

export class SignedObjects {
  readonly #client: HcClient;

  /** @param workspace what the vendor calls a project */
  constructor(origin: string, workspace: string, { accessKeyId, secretAccessKey, securityToken }: Credentials) {
    const credential = new BasicCredentials().withAk(accessKeyId).withSk(secretAccessKey).withProjectId(workspace);
    this.#client = new ClientBuilder<HcClient>((client) => client)
      .withCredential(securityToken === undefined ? credential : credential.withSecurityToken(securityToken))
      .withEndpoint(origin)
      .build();
  }

  put(bucket: string, key: string, bytes: Buffer): Promise<StorageAnswer> {
    return this.#send(bucket, key, {
      method: 'PUT',
      contentType: 'application/octet-stream',
      // Or the client would sign that the body is not signed.
      headers: { 'X-Sdk-Content-Sha256': createHash('sha256').update(bytes).digest('hex') },
      data: bytes,
    });
  }

  get(bucket: string, key: string): Promise<StorageAnswer> {
    return this.#send(bucket, key, { method: 'GET', contentType: 'application/json', headers: {} });
  }

  async #send(
    bucket: string,
    key: string,
    request: Pick<HttpRequestOptions, 'method' | 'contentType' | 'headers' | 'data'>,
  ): Promise<StorageAnswer> {
    const options = {
      ...request,
      url: `/v1/buckets/${bucket}/objects/${key}`,
      queryParams: {},
      pathParams: {},
      axiosRequestConfig: {
        responseType: 'arraybuffer',
        // A refusal is an answer too. As an error the client would log it, with the security token among its headers.
        validateStatus: () => true,
        transformResponse: (bytes: Buffer, headers: OutgoingHttpHeaders) => ({ bytes, headers: { ...headers } }),
      },
    };
    const answer: unknown = await this.#client.sendRequest(options);
    const {
      httpStatusCode: status,
      headers,
      bytes,
    } = answer as Omit<StorageAnswer, 'status'> & { httpStatusCode: number };
    return { status, headers, bytes };
  }
}
