import { unavailable } from '../call/callFailure.js'
import { type NodeVaultClient, objectOf, type VaultAnswer, type VaultClient, VaultFailed } from './vaultClient.js'

/**
 * A client of `node-vault`, by its structure. It takes no `AbortSignal`, so its own timeout ends what the attempt's left
 * behind. It keeps its token itself. It has no answer for a status other than 200 and 204, but an error that holds one.
 *
 * @param timeout milliseconds for one request
 */
export function ofNodeVault(client: NodeVaultClient, timeout: number): VaultClient {
  const limits = { timeout }
  return {
    send: async ({ method, path, body = {} }) => {
      try {
        const answer = await (method === 'GET' ? client.read(path, limits) : client.write(path, body, limits))
        if (!isObject(answer)) throw new VaultFailed(unavailable('an answer that is no JSON object'))
        return { status: 200, body: answer }
      } catch (error) {
        const answer = answerIn(error)
        if (answer) return answer
        throw error
      }
    },
  }
}

/** What is no JSON comes as it is, as text; nothing is the empty text. */
function isObject(answer: unknown): answer is VaultAnswer['body'] {
  return typeof answer === 'object' && answer !== null && !Array.isArray(answer)
}

function answerIn(error: unknown): VaultAnswer | undefined {
  const { statusCode, body } = objectOf(objectOf(error).response)
  return typeof statusCode === 'number' ? { status: statusCode, body: objectOf(body) } : undefined
}
